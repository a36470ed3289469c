from django.dispatch import Signal

# Sent after the commit that ended a completion, with `completion_id`. A hint: the outbox row is the truth.
job_finished = Signal()

# Sent before a language model comes to answer with another output, with `language_model_id` and `output`, in the
# transaction that would write it. A receiver returns why that may not be, or nothing.
output_changing = Signal()
