"""Wrong ports that ``--apply`` does not make right, with the reason.

`parity_tests.check.test_applied_ports` holds it. Where the port is PyTorch's, it is still Keras'
side that is changed: the advice is written for that.
"""

UNREPAIRED: dict[str, str] = {
    "stride_on_second": "one line in a loop makes four convolutions; two strides change places",
    "residual_missing": "a helper makes both blocks; only one of them lacks its sum",
    "relu_before_add": "a helper makes both blocks; only one of them takes the activation",
    "shortcut_norm_missing": "a helper makes both blocks; only one of them lacks the normalisation",
    "unet_upsampled": "no line is written for a transposed convolution in place of two layers",
    "layer_scale_missing": "a weight of one's own is missing",
    "pixel_shuffle": "numbers in another order: no line is written for that",
    "norm_frozen": "frozen as a whole, where gamma and beta alone must be: no argument says so",
    "rows_for_columns": "numbers in another order: no line is written for that",
    "aspp_undilated": "one line of a loop makes three convolutions; each needs another rate",
    "unshared": "no line is written for a layer that should be shared",
    "answers_swapped": "no line is written for outputs in another order",
    "two_blocks": "a loop runs too seldom: no line is written for its range",
    "four_blocks": "a loop runs too often: no line is written for its range",
    "step_missing": "a loop runs too seldom: no line is written for its range",
    "scale_overlooked": "a weight of one's own is missing",
    "decoder_untied": "no line is written for weights that should be shared",
    "last_step": "which steps of both directions are taken, no line says",
    "one_layer": "no line is written for a recurrent layer",
    "text_widths": "one line of a loop makes three convolutions; each needs another width",
    "state_not_passed": "which state is to be passed, no line says",
    "untied": "no line is written for weights that should be shared",
    "mean_of_products": "the right function's name is taken by a layer, which Keras refuses",
    "norm_last": "the normalisation stands at five other places",
    "positions_missing": "a weight of one's own is missing",
    "mask_ignored": "which input is the mask, no line says",
    "heads_not_back": "numbers in another order: no line is written for that",
    "no_positions": "a weight of one's own is missing",
    "class_token_last": "the order stands in a condition: which branch was taken, no line says",
    "sines_interleaved": "a table of numbers in another order",
    "align_corners": "the port is PyTorch's: align_corners, which Keras cannot",
    "functional_dropout": "the port is PyTorch's: a dropout that is always active",
    "time_first": "the port is PyTorch's: batch_first; Keras has no such argument",
    "attention_time_first": "the port is PyTorch's: batch_first; Keras has no such argument",
    "softmax_last": "the port is PyTorch's: dim; Keras' activation has no axis",
    "variance_unbiased": "the port is written out by hand; no argument says it",
    "epsilon_outside": "the port is written out by hand; no argument says it",
    "depthwise_bias": "the port is PyTorch's: a bias that Keras' separable convolution has not",
    "scale_forgotten": "the port is PyTorch's: Keras' attention always scales",
}
"""Port whose cause is confirmed → why what is written does not suffice."""

OF_WEIGHTS: tuple[str, ...] = (
    "kernel_transposed",
    "flat_as_it_is",
    "gamma_and_beta",
    "no_statistics",
    "no_bias",
    "not_turned",
    "other_gates",
    "depthwise_reshaped",
)
"""Ports whose weights were loaded wrongly: no line of the model says so."""

UNCONFIRMED: tuple[str, ...] = ("zero_masked",)
"""Ports whose cause is not confirmed, so that nothing is applied."""
