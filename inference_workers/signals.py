from django.dispatch import Signal

# Sent after the commit that ended a completion, with `completion_id`. A hint: the outbox row is the truth.
job_finished = Signal()
