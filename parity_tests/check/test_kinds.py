"""For each kind of fault that the check once had wrong: pairs its mechanism was not written for.

At least two right ones and a wrong one of each kind stand in `cases/`, beside those that named it.
"""

from collections import Counter

import pytest

from parity_tests.check.written_cases import ERROR, all_cases

KINDS = {
    "a cast to float32 by name": "precision/upcast_on_one_side precision/layers_in_float32",
    "made or kept in float32": "precision/float32_alone tables/buffer_of_sines",
    "half precision": "precision/half_layer precision/half_in_the_middle precision/autocast",
    "constants with few digits": "precision/printed_digits precision/few_digits",
    "NaN that the tool made": "precision/nothing_kept inputs/empty_mask inputs/empty_mask_biased",
    "slices and rows of tables": "tables/other_rows tables/segment_row tables/class_token",
    "a tie beside a fault": "tables/part_bias_and_fault tables/qv_bias_and_fault",
    "weights that no output sees": "tables/idle_heads",
    "rows that never learn": "ids/still_row ids/still_row_rare tables/rows_behind_padding",
    "arithmetic on ids": "ids/clipped_short ids/modulo ids/last_token",
    "masks": "masks/causal_two_ways masks/one_minus_mask masks/packed_lengths",
    "the same numbers in another shape": "shapes/axes_of_one shapes/halves shapes/rows_of_the_data",
    "operands by role": "shapes/grouped_queries shapes/rotary_pairs recurrent/one_step",
    "stacks and complex numbers": "shapes/mean_of_branches precision/complex_numbers",
    "written out": "written_out/gelu_in_torch written_out/quick_gelu written_out/softplus",
    "wrappers that make weights": "wrappers/weight_norm_wrapper wrappers/spectral_convolution",
    "bypassing proves no neighbour": "proof/same_numbers_elsewhere proof/heads_without_tanh",
    "an operation proven by itself": "proof/one_for_two proof/spelt_otherwise",
    "tables of the code": "proof/tables tables/slopes tables/rotary_base tables/behind_another",
    "ties by shape": "tables/prototypes",
    "names believed": "noise/drop_path noise/scaled_in_evaluation",
    "draws of random numbers": "noise/reparameterised noise/gaussian",
    "gradients decide": "learning/shifted_outputs ids/still_row_large",
    "losses and optimizers of one's own": "learning/masked_tokens learning/own_decay",
    "steps that changed places": "proof/exchanged proof/chain",
    "no gradient, no float64": "precision/float32_alone precision/no_way_back",
    "what random inputs never reach": "ids/one_row_short inputs/empty_mask ids/masked_mean",
    "names of inputs": "inputs/typed_names inputs/unlike_names inputs/list_for_dictionary",
    "lines to write": "advice/in_a_statement advice/in_a_library advice/missing_steps",
    "steps that change no number": "proof/idle_relu proof/one_pad",
    "norms written out": "written_out/standardised_dense written_out/rms_block",
    "weights of one shape": "tables/rank_and_fault tables/column_table tables/two_for_one",
    "noise in training": "noise/spatial_dropout noise/attention_dropout",
    "outputs of another shape": "shapes/one_logit inputs/squeezed_batch",
    "settings that moved": "proof/moved_dilation proof/units_elsewhere",
}
"""Kind → folders of cases."""
CASES = all_cases()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_pairs_of_its_own(kind):
    folders = KINDS[kind].split()
    asked = Counter(
        "wrong" if case.verdicts[0] in ("differ", ERROR) else "right"
        for case in CASES
        if case.name.partition(":")[0] in folders
    )
    known = {case.name.partition(":")[0] for case in CASES}
    assert set(folders) <= known
    assert (asked["right"] >= 2, asked["wrong"] >= 1) == (True, True), asked
