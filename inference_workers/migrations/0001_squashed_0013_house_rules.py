import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models

from foundation.append_only import protect_table

# Whoever makes a model public releases it, and a release is for good.
KEEP = """
CREATE FUNCTION inference_workers_keep_release() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.released_at IS NOT NULL THEN
        NEW.released_at := OLD.released_at;
    ELSIF NEW.visibility = 'public' THEN
        NEW.released_at := coalesce(NEW.released_at, now());
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER keep_release BEFORE INSERT OR UPDATE ON inference_workers_languagemodel
    FOR EACH ROW EXECUTE FUNCTION inference_workers_keep_release();
"""
UNDO = """
DROP TRIGGER keep_release ON inference_workers_languagemodel;
DROP FUNCTION inference_workers_keep_release();
"""
# Written out, not asked of the models: what this migration protects must not change with later code.
PROTECTED = [
    "inference_workers_operatorevent",
    "inference_workers_ruleset",
]


class Migration(migrations.Migration):

    replaces = [('inference_workers', '0001_initial'), ('inference_workers', '0002_retries_wait'), ('inference_workers', '0003_recent_completions'), ('inference_workers', '0004_prices'), ('inference_workers', '0005_endpoints'), ('inference_workers', '0006_accepts_cut'), ('inference_workers', '0007_settings_of_a_completion'), ('inference_workers', '0008_released_at'), ('inference_workers', '0009_logprobs'), ('inference_workers', '0010_probes_and_lost_costs'), ('inference_workers', '0011_files'), ('inference_workers', '0012_measures'), ('inference_workers', '0013_house_rules')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0002_person_links'),
    ]

    operations = [
        migrations.CreateModel(
            name='Endpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('backend', models.CharField(choices=[('transformers', 'Transformers, in the worker'), ('openai', 'OpenAI-compatible address'), ('scripted', 'Scripted, for tests')], max_length=20, verbose_name='backend')),
                ('base_url', models.URLField(blank=True, help_text='For OpenAI-compatible addresses, ending in /v1.', verbose_name='address')),
                ('sealed_key', models.BinaryField(null=True)),
                ('capacity', models.PositiveSmallIntegerField(default=8, validators=[django.core.validators.MinValueValidator(1)], verbose_name='completions at once')),
                ('requests_per_minute', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='requests a minute')),
                ('tokens_per_minute', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='tokens a minute')),
                ('daily_budget', models.DecimalField(blank=True, decimal_places=2, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='budget of a day')),
                ('ask_usage', models.BooleanField(default=True, verbose_name='asks for token counts')),
                ('max_tokens_field', models.CharField(choices=[('max_tokens', 'max_tokens'), ('max_completion_tokens', 'max_completion_tokens')], default='max_tokens', max_length=30, verbose_name='name of the length limit')),
                ('extra_body', models.JSONField(blank=True, default=dict, verbose_name='sent along')),
                ('timeout_seconds', models.PositiveSmallIntegerField(default=120, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(200)], verbose_name='time limit in seconds')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('backend', 'openai'), _negated=True), models.Q(('base_url', ''), _negated=True), _connector='OR'), name='openai_endpoint_has_address')],
            },
        ),
        migrations.CreateModel(
            name='RuleSet',
            fields=[
                ('digest', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('rules', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='EndpointGauge',
            fields=[
                ('endpoint', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='gauge', serialize=False, to='inference_workers.endpoint')),
                ('requests_left', models.FloatField(null=True)),
                ('tokens_left', models.FloatField(null=True)),
                ('filled_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('state', models.CharField(choices=[('closed', 'Answering'), ('open', 'Left alone'), ('half_open', 'Being tried')], default='closed', max_length=10)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('openings', models.PositiveSmallIntegerField(default=0)),
                ('opened_until', models.DateTimeField(null=True)),
                ('opened_for', models.CharField(blank=True, max_length=40)),
                ('probe', models.UUIDField(null=True)),
                ('probed_at', models.DateTimeField(null=True)),
                ('probe_code', models.CharField(blank=True, max_length=40)),
                ('spent_today', models.DecimalField(decimal_places=10, default=0, max_digits=18)),
                ('spent_on', models.DateField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('opened_until__isnull', True), ('state', 'closed')), models.Q(('opened_until__isnull', False), ('state__in', ['open', 'half_open'])), _connector='OR'), name='open_breaker_has_an_end')],
            },
        ),
        migrations.CreateModel(
            name='LanguageModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('slug', models.SlugField(max_length=80, unique=True, verbose_name='slug')),
                ('aliases', models.JSONField(blank=True, default=list, help_text='Names that would give it away in an answer.', verbose_name='other names')),
                ('organisation', models.CharField(blank=True, max_length=80, verbose_name='organisation')),
                ('licence', models.CharField(blank=True, max_length=80, verbose_name='licence')),
                ('task', models.CharField(choices=[('text', 'Writes answers'), ('embedding', 'Gives texts a vector'), ('reward', 'Gives chats a reward')], db_default='text', default='text', max_length=10, verbose_name='what it is for')),
                ('visibility', models.CharField(choices=[('public', 'In battles, named after the vote'), ('hidden', 'In battles, under a stand-in name until released'), ('retired', 'Not in battles; its standing stays')], default='public', max_length=10, verbose_name='visibility')),
                ('released_at', models.DateTimeField(editable=False, null=True)),
                ('weight', models.FloatField(default=1.0, validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(1000.0)], verbose_name='sampling weight')),
                ('price_read', models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='price of a million tokens read')),
                ('price_written', models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='price of a million tokens written')),
                ('keeps_logprobs', models.BooleanField(default=False, help_text='Of every token that it writes, where its endpoint tells them: some bytes for each. Some endpoints refuse requests that ask for them.', verbose_name='keeps log-probabilities')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='LanguageModelRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('provider_model', models.CharField(max_length=200)),
                ('system_prompt', models.TextField(blank=True)),
                ('temperature', models.FloatField(default=0.7, validators=[django.core.validators.MinValueValidator(0.0), django.core.validators.MaxValueValidator(2.0)])),
                ('top_p', models.FloatField(default=0.95, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(1.0)])),
                ('top_k', models.PositiveIntegerField(default=0)),
                ('repetition_penalty', models.FloatField(default=1.0, validators=[django.core.validators.MinValueValidator(0.5), django.core.validators.MaxValueValidator(2.0)])),
                ('max_tokens', models.PositiveIntegerField(default=256, validators=[django.core.validators.MinValueValidator(1)])),
                ('stop', models.JSONField(blank=True, default=list)),
                ('accepts_cut', models.BooleanField(default=False)),
                ('output', models.CharField(choices=[('text', 'Text'), ('image', 'Images'), ('audio', 'Sounds'), ('video', 'Films')], db_default='text', default='text', max_length=8, verbose_name='answers with')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('endpoint', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='inference_workers.endpoint')),
                ('language_model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='inference_workers.languagemodel')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('language_model', 'number'), name='one_revision_per_number'), models.CheckConstraint(condition=models.Q(('max_tokens__gte', 1), ('temperature__gte', 0), ('temperature__lte', 2), ('top_p__gt', 0), ('top_p__lte', 1)), name='sampling_within_range')],
            },
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('dimension', models.PositiveIntegerField()),
                ('numbers', models.BinaryField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='measurements', to='accounts.person')),
                ('personal_numbers', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='measurements', to='inference_workers.languagemodelrevision')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('revision', 'digest'), name='one_measurement_per_text_and_revision'), models.CheckConstraint(condition=models.Q(models.Q(('numbers__isnull', False), ('person__isnull', True), ('personal_numbers__isnull', True)), models.Q(('numbers__isnull', True), ('person__isnull', False), ('personal_numbers__isnull', False)), _connector='OR'), name='numbers_of_people_are_sealed')],
            },
        ),
        migrations.CreateModel(
            name='OperatorEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=20)),
                ('subject_id', models.BigIntegerField()),
                ('verb', models.CharField(max_length=40)),
                ('changes', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('revision', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='inference_workers.languagemodelrevision')),
            ],
            options={
                'indexes': [models.Index(fields=['subject', 'subject_id'], name='operator_event_subject')],
            },
        ),
        migrations.CreateModel(
            name='Completion',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('task', models.CharField(choices=[('text', 'Writes answers'), ('embedding', 'Gives texts a vector'), ('reward', 'Gives chats a reward')], db_default='text', default='text', max_length=10)),
                ('screened', models.BooleanField(db_default=True, default=True)),
                ('digest', models.CharField(blank=True, db_default='', default='', max_length=64)),
                ('messages', models.JSONField(null=True)),
                ('seed', models.BigIntegerField()),
                ('sampling', models.JSONField(null=True)),
                ('priority', models.PositiveSmallIntegerField(choices=[(0, 'A person is waiting'), (5, 'A look at how a model is'), (9, 'Campaign batch')], default=9)),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('succeeded', 'Succeeded'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='queued', max_length=10)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('max_attempts', models.PositiveSmallIntegerField(default=3)),
                ('lease_token', models.UUIDField(null=True)),
                ('lease_expires_at', models.DateTimeField(null=True)),
                ('text', models.TextField(null=True)),
                ('finish_reason', models.CharField(blank=True, choices=[('stop', 'The model ended its text'), ('length', 'The length limit ended it')], max_length=10)),
                ('error_code', models.CharField(blank=True, max_length=40)),
                ('error_message', models.TextField(blank=True)),
                ('prompt_tokens', models.PositiveIntegerField(null=True)),
                ('completion_tokens', models.PositiveIntegerField(null=True)),
                ('logprobs', models.BinaryField(null=True)),
                ('first_token_seconds', models.FloatField(null=True)),
                ('total_seconds', models.FloatField(null=True)),
                ('cost', models.DecimalField(decimal_places=10, max_digits=18, null=True)),
                ('estimated_cost', models.DecimalField(decimal_places=10, max_digits=18, null=True)),
                ('reserved_cost', models.DecimalField(decimal_places=10, max_digits=18, null=True)),
                ('screen_version', models.TextField(null=True)),
                ('house_rules', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('claimable_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='completions', to='accounts.person')),
                ('personal_messages', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('personal_text', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='completions', to='inference_workers.languagemodelrevision')),
                ('measurement', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='completions', to='inference_workers.measurement')),
                ('rule_set', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference_workers.ruleset')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'queued')), fields=['priority', 'created_at'], name='completion_queue'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_expires_at'], name='completion_leases'), models.Index(condition=models.Q(('state', 'succeeded')), fields=['finished_at'], name='completion_recent'), models.Index(condition=models.Q(('priority', 5)), fields=['revision', 'created_at'], name='completion_probes'), models.Index(condition=models.Q(('state__in', ['succeeded', 'failed'])), fields=['revision', 'finished_at'], name='completion_ended')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('messages__isnull', False), ('person__isnull', True), ('personal_messages__isnull', True)), models.Q(('messages__isnull', True), ('person__isnull', False), ('personal_messages__isnull', False)), _connector='OR'), name='completion_messages_in_one_place'), models.CheckConstraint(condition=models.Q(models.Q(('person__isnull', True), ('personal_text__isnull', True)), models.Q(('person__isnull', False), ('text__isnull', True)), _connector='OR'), name='completion_text_in_its_place'), models.CheckConstraint(condition=models.Q(models.Q(('lease_expires_at__isnull', False), ('lease_token__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_expires_at__isnull', True), ('lease_token__isnull', True)), _connector='OR'), name='running_completion_has_lease'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'succeeded'), _negated=True), models.Q(('task', 'text'), _negated=True), models.Q(models.Q(('text__isnull', False), ('personal_text__isnull', False), _connector='OR'), models.Q(('finish_reason', ''), _negated=True)), _connector='OR'), name='succeeded_completion_has_text'), models.CheckConstraint(condition=models.Q(models.Q(('digest', ''), ('measurement__isnull', True), ('task', 'text')), models.Q(models.Q(('task', 'text'), _negated=True), models.Q(('digest', ''), _negated=True), models.Q(models.Q(('state', 'succeeded'), _negated=True), ('measurement__isnull', False), _connector='OR')), _connector='OR'), name='measures_have_a_measurement'), models.UniqueConstraint(condition=models.Q(models.Q(('task', 'text'), _negated=True), ('state__in', ['queued', 'running'])), fields=('revision', 'digest'), name='one_open_measure_per_text_and_revision'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'failed'), _negated=True), models.Q(('error_code', ''), _negated=True), _connector='OR'), name='failed_completion_says_why'), models.CheckConstraint(condition=models.Q(('attempt__lte', models.F('max_attempts'))), name='completion_attempts_bounded')],
            },
        ),
        migrations.CreateModel(
            name='OutboxEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('handled_at', models.DateTimeField(null=True)),
                ('completion', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='outbox_entry', to='inference_workers.completion')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('handled_at__isnull', True)), fields=['created_at'], name='outbox_unhandled')],
            },
        ),
        migrations.CreateModel(
            name='CompletionFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('image', 'Image'), ('audio', 'Sound'), ('video', 'Film')], max_length=8)),
                ('sha256', models.CharField(max_length=64)),
                ('stored', models.CharField(db_index=True, max_length=255)),
                ('content_type', models.CharField(max_length=80)),
                ('size', models.BigIntegerField()),
                ('width', models.PositiveIntegerField(null=True)),
                ('height', models.PositiveIntegerField(null=True)),
                ('seconds', models.FloatField(null=True)),
                ('completion', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='file', to='inference_workers.completion')),
            ],
        ),
        migrations.AddField(
            model_name='languagemodel',
            name='current',
            field=models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='current_of', to='inference_workers.languagemodelrevision'),
        ),
        migrations.RunSQL(KEEP, UNDO),
        *[protect_table(table) for table in PROTECTED],
    ]
