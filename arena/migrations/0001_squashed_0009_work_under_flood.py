import arena.models
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models

from foundation.append_only import protect_table

# An entry is public for good: it may pause and leave, and neither goes nor says another beginning.
KEEP_ENTRIES = """
CREATE FUNCTION arena_keep_entry() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP <> 'UPDATE' THEN
        RAISE restrict_violation USING MESSAGE = TG_TABLE_NAME || ' is public for good: ' || TG_OP || ' refused';
    END IF;
    IF (NEW.arena_id, NEW.language_model_id, NEW.was_private, NEW.entered_at)
        IS DISTINCT FROM (OLD.arena_id, OLD.language_model_id, OLD.was_private, OLD.entered_at) THEN
        RAISE restrict_violation USING MESSAGE = TG_TABLE_NAME || ' is public for good: its beginning stays';
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER keep_entry BEFORE UPDATE ON arena_entry FOR EACH ROW EXECUTE FUNCTION arena_keep_entry();
CREATE TRIGGER keep_entries BEFORE DELETE OR TRUNCATE ON arena_entry
    FOR EACH STATEMENT EXECUTE FUNCTION arena_keep_entry();
"""
UNDO_ENTRIES = """
DROP TRIGGER keep_entry ON arena_entry;
DROP TRIGGER keep_entries ON arena_entry;
DROP FUNCTION arena_keep_entry();
"""
# What a prompt of a pool says stays as it is: battles name it. It can be switched off, and its labels be mended.
KEEP_PROMPTS = """
CREATE FUNCTION arena_keep_pool_prompt() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF (NEW.arena_id, NEW.text, NEW.digest) IS DISTINCT FROM (OLD.arena_id, OLD.text, OLD.digest) THEN
        RAISE restrict_violation USING MESSAGE = TG_TABLE_NAME || ' keeps what it says: UPDATE refused';
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER keep_pool_prompt BEFORE UPDATE ON arena_poolprompt
    FOR EACH ROW EXECUTE FUNCTION arena_keep_pool_prompt();
"""
UNDO_PROMPTS = """
DROP TRIGGER keep_pool_prompt ON arena_poolprompt;
DROP FUNCTION arena_keep_pool_prompt();
"""
# Written out, not asked of the models: what this migration protects must not change with later code.
PROTECTED = [
    "arena_enteredrevision",
    "arena_promptdraw",
]


class Migration(migrations.Migration):

    replaces = [('arena', '0001_initial'), ('arena', '0002_entries'), ('arena', '0003_shares'), ('arena', '0004_asked_again'), ('arena', '0005_conversations'), ('arena', '0006_prompt_pool'), ('arena', '0007_modes'), ('arena', '0008_house_rules'), ('arena', '0009_work_under_flood')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0002_person_links'),
        ('annotation', '0001_squashed_0027_uncounted_battles'),
        ('inference_workers', '0001_squashed_0013_house_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='Arena',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lead', models.CharField(blank=True, db_default='', max_length=300, verbose_name='what it is about, in one sentence')),
                ('look', models.CharField(choices=[('plain', 'Cardinal'), ('lake', 'Lake'), ('moss', 'Moss'), ('plum', 'Plum')], db_default='plain', default='plain', max_length=12, verbose_name='colours')),
                ('system_prompt', models.TextField(blank=True, db_default='', max_length=8000, verbose_name='system prompt')),
                ('examples', models.JSONField(blank=True, default=list, verbose_name='example prompts')),
                ('max_prompt_chars', models.PositiveIntegerField(default=4000, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100000)], verbose_name='longest prompt in characters')),
                ('max_turns', models.PositiveSmallIntegerField(default=5, validators=[django.core.validators.MinValueValidator(1)], verbose_name='turns per battle')),
                ('max_regenerations', models.PositiveSmallIntegerField(db_default=2, default=2, validators=[django.core.validators.MaxValueValidator(10)], verbose_name='times both may be asked again per turn')),
                ('battles_per_day', models.PositiveIntegerField(default=100, verbose_name='battles per visitor and day')),
                ('max_waiting', models.PositiveIntegerField(default=32, verbose_name='completions waiting before visitors are asked to come back')),
                ('modes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('anonymous', 'Hidden models'), ('named', 'Choose the models'), ('own_set', 'My models')], max_length=12), db_default=['anonymous'], default=arena.models.only_hidden, size=None)),
                ('flood_per_minute', models.PositiveIntegerField(blank=True, db_default=300, default=300, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='battles within a minute from which on browsers do some work first')),
                ('work_bits', models.PositiveSmallIntegerField(db_default=18, default=18, validators=[django.core.validators.MinValueValidator(8), django.core.validators.MaxValueValidator(26)], verbose_name='how much work, as a power of two of tries')),
                ('is_default', models.BooleanField(default=False)),
                ('is_listed', models.BooleanField(db_default=True, default=True, verbose_name='in the list of arenas')),
                ('position', models.PositiveSmallIntegerField(db_default=0, default=0, verbose_name='place in the list')),
                ('pool_by_category', models.BooleanField(db_default=False, default=False, verbose_name='draw a category first, then one of its prompts')),
                ('newcomer_share', models.FloatField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(0.01), django.core.validators.MaxValueValidator(1)], verbose_name='largest share of draws with a newcomer')),
                ('newcomer_votes', models.PositiveIntegerField(db_default=50, default=50, validators=[django.core.validators.MinValueValidator(1)], verbose_name='votes until a model is no newcomer')),
                ('category_votes', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)], verbose_name='votes from which a category is learned by itself')),
                ('enters_all', models.BooleanField(db_default=False, default=False, verbose_name='every model of the site takes part')),
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='arena', to='annotation.campaign')),
            ],
            options={
                'ordering': ['-is_default', 'position', 'pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_default', True)), fields=('is_default',), name='one_default_arena'), models.CheckConstraint(condition=models.Q(('newcomer_share__isnull', True), models.Q(('newcomer_share__gt', 0), ('newcomer_share__lte', 1)), _connector='OR'), name='newcomer_share_in_range'), models.CheckConstraint(condition=models.Q(('modes__len__gte', 1)), name='arena_has_a_mode')],
            },
        ),
        migrations.CreateModel(
            name='Battle',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('answering', 'The models are answering'), ('votable', 'Waiting for the vote'), ('held', 'Voted; the models stay hidden'), ('voted', 'Voted'), ('abandoned', 'Left without a vote'), ('void', 'Void')], default='answering', max_length=10)),
                ('mode', models.CharField(choices=[('anonymous', 'Hidden models'), ('named', 'Choose the models'), ('own_set', 'My models')], db_default='anonymous', default='anonymous', max_length=12)),
                ('turn_count', models.PositiveSmallIntegerField(default=1)),
                ('regenerations', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('network', models.CharField(blank=True, max_length=64)),
                ('turns_before', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('base_position', models.PositiveSmallIntegerField(null=True)),
                ('base_choice', models.CharField(blank=True, choices=[('preferred', 'The preferred answer'), ('picked', 'Picked by the visitor'), ('drawn', 'Drawn')], db_default='', max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('answered_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='battles', to='arena.arena')),
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='battle', to='annotation.assignment')),
                ('continues', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='continued_by', to='arena.battle')),
                ('first', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='later', to='arena.battle')),
                ('impression', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='battle', to='annotation.impression')),
                ('item', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='battle', to='annotation.item')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['answering', 'votable'])), fields=['created_at'], name='battle_unfinished'), models.Index(fields=['network', 'created_at'], name='battle_network'), models.Index(fields=['arena', 'created_at'], name='battle_flood')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('base_choice', ''), ('base_position__isnull', True), ('continues__isnull', True), ('first__isnull', True), ('turns_before', 0)), models.Q(('base_position__isnull', False), ('continues__isnull', False), ('first__isnull', False), ('turns_before__gt', 0), models.Q(('base_choice', ''), _negated=True)), _connector='OR'), name='battle_continues_whole')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('active', 'In battles'), ('paused', 'Paused'), ('retired', 'Left; its standing stays')], db_default='active', default='active', max_length=8)),
                ('weight', models.FloatField(db_default=1.0, default=1.0, verbose_name='weight')),
                ('boost', models.FloatField(db_default=1.0, default=1.0, verbose_name='boost')),
                ('boost_until', models.DateTimeField(blank=True, null=True, verbose_name='until when')),
                ('was_private', models.BooleanField()),
                ('entered_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('reason', models.CharField(blank=True, db_default='', max_length=300, verbose_name='reason')),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='arena.arena')),
                ('language_model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='inference_workers.languagemodel')),
            ],
            options={
                'ordering': ['entered_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('arena', 'language_model'), name='one_entry_per_arena_and_model'), models.CheckConstraint(condition=models.Q(('boost__gte', 1), ('weight__gt', 0)), name='entry_weights'), models.CheckConstraint(condition=models.Q(models.Q(('boost', 1), ('boost_until__isnull', True)), ('boost_until__isnull', False), _connector='OR'), name='entry_boost_ends'), models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', False), ('state', 'retired')), models.Q(models.Q(('state', 'retired'), _negated=True), ('ended_at__isnull', True)), _connector='OR'), name='entry_ended_is_retired')],
            },
        ),
        migrations.CreateModel(
            name='EnteredRevision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('was_private', models.BooleanField()),
                ('entered_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('contestant', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.contestant')),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='revisions', to='arena.entry')),
            ],
            options={
                'ordering': ['entered_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('entry', 'contestant'), name='one_row_per_entry_and_contestant')],
            },
        ),
        migrations.CreateModel(
            name='HouseRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=20, null=True, unique=True)),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('says', models.CharField(blank=True, max_length=300, verbose_name='what a visitor reads whose text it refuses')),
                ('kind', models.CharField(choices=[('words', 'Words and phrases, one a line'), ('pattern', 'Regular expressions, one a line'), ('check', 'A check that is built in')], max_length=8, verbose_name='how it finds it')),
                ('pattern', models.TextField(verbose_name='what it looks for')),
                ('action', models.CharField(choices=[('refuse', 'Refuse it: what a visitor wrote is not taken, an answer is asked for anew'), ('void', 'Take it out: an answer is asked for anew, a visitor’s text is not taken'), ('mask', 'Blacken it where others read it'), ('flag', 'Show it to the admins, and blacken it where others read it'), ('support', 'Show the visitor where to find help')], max_length=8, verbose_name='what becomes of it')),
                ('on_visitors', models.BooleanField(default=True, verbose_name='for what visitors write')),
                ('on_models', models.BooleanField(default=True, verbose_name='for what models answer')),
                ('is_active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('arena', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='house_rules', to='arena.arena')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('on_visitors', True), ('on_models', True), _connector='OR'), name='house_rule_is_for_somebody')],
            },
        ),
        migrations.CreateModel(
            name='KeptModel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='arena.arena')),
                ('language_model', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference_workers.languagemodel')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.person')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('person', 'arena', 'language_model'), name='one_kept_model_per_person')],
            },
        ),
        migrations.CreateModel(
            name='PoolPrompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('digest', models.CharField(max_length=64)),
                ('category', models.CharField(blank=True, max_length=80, verbose_name='category')),
                ('language', models.CharField(blank=True, max_length=12, verbose_name='language')),
                ('source', models.CharField(blank=True, max_length=200, verbose_name='source and licence')),
                ('is_active', models.BooleanField(db_default=True, default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pool', to='arena.arena')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_active', True)), fields=['arena', 'category'], name='pool_active')],
                'constraints': [models.UniqueConstraint(fields=('arena', 'digest'), name='one_pool_prompt_per_text')],
            },
        ),
        migrations.CreateModel(
            name='PromptDraw',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('any', 'Drawn for the battle'), ('offered', 'Chosen by the visitor among drawn ones')], max_length=10)),
                ('category', models.CharField(blank=True, max_length=80)),
                ('by_category', models.BooleanField()),
                ('seed', models.BigIntegerField()),
                ('pool_size', models.PositiveIntegerField()),
                ('pool_digest', models.CharField(max_length=64)),
                ('drawn', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('probability', models.FloatField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('battle', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='prompt_draw', to='arena.battle')),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draws', to='arena.poolprompt')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('probability__gt', 0), ('probability__lte', 1)), name='prompt_draw_probability')],
            },
        ),
        migrations.CreateModel(
            name='Share',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('battle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='arena.battle')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('revoked_at__isnull', True)), fields=('battle',), name='one_open_share_per_battle')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('action', models.CharField(choices=[('refuse', 'Refuse it: what a visitor wrote is not taken, an answer is asked for anew'), ('void', 'Take it out: an answer is asked for anew, a visitor’s text is not taken'), ('mask', 'Blacken it where others read it'), ('flag', 'Show it to the admins, and blacken it where others read it'), ('support', 'Show the visitor where to find help')], max_length=8)),
                ('about', models.CharField(choices=[('prompt', 'Prompt'), ('answer', 'Answer'), ('words', 'Words beside a vote')], max_length=8)),
                ('created_at', models.DateTimeField()),
                ('outcome', models.CharField(blank=True, choices=[('right', 'Right'), ('false_alarm', 'False alarm')], db_default='', max_length=12)),
                ('looked_at', models.DateTimeField(null=True)),
                ('arena', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='arena.arena')),
                ('battle', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='arena.battle')),
                ('completion', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference_workers.completion')),
                ('respondent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.respondent')),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='arena.houserule')),
                ('rule_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='inference_workers.ruleset')),
            ],
            options={
                'indexes': [models.Index(fields=['arena', 'created_at'], name='verdict_recent')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('looked_at__isnull', True), ('outcome', '')), models.Q(models.Q(('outcome', ''), _negated=True), ('looked_at__isnull', False)), _connector='OR'), name='verdict_looked_at_has_outcome'), models.CheckConstraint(condition=models.Q(models.Q(('about', 'answer'), ('completion__isnull', False)), models.Q(models.Q(('about', 'answer'), _negated=True), ('completion__isnull', True)), _connector='OR'), name='verdict_of_an_answer_names_it'), models.UniqueConstraint(fields=('completion', 'rule'), name='one_verdict_per_answer_and_rule')],
            },
        ),
        migrations.RunSQL(KEEP_ENTRIES, UNDO_ENTRIES),
        migrations.RunSQL(KEEP_PROMPTS, UNDO_PROMPTS),
        *[protect_table(table) for table in PROTECTED],
    ]
