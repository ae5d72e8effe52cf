"""Wrong ports that ``--apply`` does not make right, with the reason.

`parity_tests.check.test_applied_ports` holds it. Where the port is PyTorch's, it is that which is
changed.
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
    "scale_overlooked": "a weight of one's own is missing",
    "decoder_untied": "a weight that should be shared, beside a bias of its own: no line says so",
    "last_step": "which steps of both directions are taken, no line says",
    "text_widths": "one line of a loop makes three convolutions; each needs another width",
    "state_not_passed": "which state is to be passed, no line says",
    "norm_last": "the normalisation stands at five other places",
    "positions_missing": "a weight of one's own is missing",
    "heads_not_back": "numbers in another order: no line is written for that",
    "no_positions": "a weight of one's own is missing",
    "class_token_last": "the order stands in a condition: which branch was taken, no line says",
    "sines_interleaved": "a table of numbers in another order",
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
