"""How a recording is made, the same for both sides; a side brings a `recorder.Framework`.

In: a `job.RecordingJob`, the suite, the twin's functions. Out: one recording file. Read `job` (what
is asked), `recorder` (the order of events), `batches` (what a training is fed), `batch_order` (in
which order), `case_inputs` (what a case is given), `nudge` (the smallest change of the weights).
"""
