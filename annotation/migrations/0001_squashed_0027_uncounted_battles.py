import annotation.models.judgments
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
import django.db.models.functions.math
from django.conf import settings
from django.db import migrations, models

from foundation.append_only import protect_table

# By the name of each column of the tally, what of a slot it counts.
WANTED = "(state <> 'cancelled' AND NOT for_one)::int"
TAKEN = "(state IN ('claimed', 'done'))::int"
DONE = "(state = 'done' AND NOT for_one)::int"
TALLY_SLOTS = f"""
CREATE FUNCTION annotation_tally_slots() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
        SELECT campaign_id, sum({WANTED}), sum({TAKEN}), sum({DONE}) FROM added GROUP BY campaign_id;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
        SELECT campaign_id, -sum({WANTED}), -sum({TAKEN}), -sum({DONE}) FROM gone GROUP BY campaign_id;
    ELSE
        INSERT INTO annotation_slottally (campaign_id, wanted, taken, done)
        SELECT campaign_id, sum(sign * {WANTED}), sum(sign * {TAKEN}), sum(sign * {DONE})
        FROM (
            SELECT campaign_id, state, for_one, 1 AS sign FROM added
            UNION ALL SELECT campaign_id, state, for_one, -1 FROM gone
        ) changed
        GROUP BY campaign_id
        HAVING sum(sign * {WANTED}) <> 0 OR sum(sign * {TAKEN}) <> 0 OR sum(sign * {DONE}) <> 0;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER slots_added AFTER INSERT ON annotation_slot REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_slots();
CREATE TRIGGER slots_gone AFTER DELETE ON annotation_slot REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_slots();
CREATE TRIGGER slots_changed AFTER UPDATE ON annotation_slot REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_slots();
"""  # noqa: S608 (constants)
UNDO_SLOTS = """
DROP TRIGGER slots_added ON annotation_slot;
DROP TRIGGER slots_gone ON annotation_slot;
DROP TRIGGER slots_changed ON annotation_slot;
DROP FUNCTION annotation_tally_slots();
"""
# What is counted: work that a person answered or holds. What an item is for never changes.
WORK = """a.state IN ('open', 'submitted') AND (
    SELECT i.purpose = 'work' AND i.repeat_of_id IS NULL FROM annotation_item i WHERE i.id = a.item_id
)"""
# One look at an item's index for each assignment, always: a connection keeps the plan that it made while the tables
# were small, and a join that is right for one row takes minutes for a hundred thousand.
TALLY_WORK = f"""
CREATE FUNCTION annotation_add_work(who bigint, more bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off AS $body$
BEGIN
    UPDATE annotation_worktally SET given = given + more WHERE id = (
        SELECT id FROM annotation_worktally WHERE respondent_id = who LIMIT 1 FOR UPDATE SKIP LOCKED
    );
    IF NOT FOUND THEN
        INSERT INTO annotation_worktally (respondent_id, given) VALUES (who, more);
    END IF;
END $body$;
CREATE FUNCTION annotation_tally_work() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $body$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM annotation_add_work(a.respondent_id, count(*))
        FROM added a WHERE {WORK} GROUP BY a.respondent_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM annotation_add_work(a.respondent_id, -count(*))
        FROM gone a WHERE {WORK} GROUP BY a.respondent_id;
    ELSE
        PERFORM annotation_add_work(a.respondent_id, sum(a.sign))
        FROM (
            SELECT respondent_id, item_id, state, 1 AS sign FROM added
            UNION ALL SELECT respondent_id, item_id, state, -1 FROM gone
        ) a
        WHERE {WORK} GROUP BY a.respondent_id HAVING sum(a.sign) <> 0;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER work_added AFTER INSERT ON annotation_assignment REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_work();
CREATE TRIGGER work_gone AFTER DELETE ON annotation_assignment REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_work();
CREATE TRIGGER work_changed AFTER UPDATE ON annotation_assignment REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION annotation_tally_work();
"""  # noqa: S608 (constants)
UNDO_WORK = """
DROP TRIGGER work_added ON annotation_assignment;
DROP TRIGGER work_gone ON annotation_assignment;
DROP TRIGGER work_changed ON annotation_assignment;
DROP FUNCTION annotation_tally_work();
DROP FUNCTION annotation_add_work(bigint, bigint);
"""
# A judge counts as a person for whatever reads by source, unless its source is a judge's; and nobody else may hide in
# one. Constraints see one table.
APART = """
CREATE FUNCTION annotation_judges_apart() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF (NEW.kind = 'model_judge') <> (SELECT kind = 'judge' FROM annotation_source WHERE id = NEW.source_id) THEN
        RAISE EXCEPTION 'a model judge has a source of model judges, and nobody else has'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'judges_have_their_source';
    END IF;
    RETURN NEW;
END $body$;
CREATE TRIGGER judges_apart BEFORE INSERT OR UPDATE OF kind, source_id ON annotation_respondent
    FOR EACH ROW EXECUTE FUNCTION annotation_judges_apart();
"""
UNDO_APART = """
DROP TRIGGER judges_apart ON annotation_respondent;
DROP FUNCTION annotation_judges_apart();
"""
# Written out, not asked of the models: what this migration protects must not change with later code.
PROTECTED = [
    "annotation_adjudication",
    "annotation_consenttext",
    "annotation_datasetwithdrawal",
    "annotation_delivery",
    "annotation_draw",
    "annotation_earlierturn",
    "annotation_event",
    "annotation_guidelinesversion",
    "annotation_impression",
    "annotation_impressionevent",
    "annotation_instrument",
    "annotation_itemcomment",
    "annotation_judgment",
    "annotation_judgmenttext",
    "annotation_leaderboardsnapshot",
    "annotation_ledgerentry",
    "annotation_logentry",
    "annotation_paidentry",
    "annotation_payment",
    "annotation_payout",
    "annotation_payoutline",
    "annotation_promptlabel",
    "annotation_question",
    "annotation_reaction",
    "annotation_reviewdecision",
]


class Migration(migrations.Migration):

    replaces = [('annotation', '0001_initial'), ('annotation', '0002_protect_the_log'), ('annotation', '0003_walk_the_log_in_commit_order'), ('annotation', '0004_campaigns_in_full'), ('annotation', '0005_find_checks'), ('annotation', '0006_review_pay_media_worth'), ('annotation', '0007_answers_are_news'), ('annotation', '0008_media_under_several_names'), ('annotation', '0009_selection_in_campaigns'), ('annotation', '0010_withdrawal'), ('annotation', '0011_answers_taken_back'), ('annotation', '0012_tally_slots'), ('annotation', '0013_checks_and_orders'), ('annotation', '0014_groups_in_small_letters'), ('annotation', '0015_captions'), ('annotation', '0016_tally_work'), ('annotation', '0017_tally_done'), ('annotation', '0018_arenas'), ('annotation', '0019_judges_apart'), ('annotation', '0020_arenas_of_several'), ('annotation', '0021_samples'), ('annotation', '0022_asked_again'), ('annotation', '0023_reactions'), ('annotation', '0024_files_of_completions'), ('annotation', '0025_prompts_and_labels'), ('annotation', '0026_judging'), ('annotation', '0027_uncounted_battles')]

    initial = True

    dependencies = [
        ('accounts', '0001_squashed_0002_person_links'),
        ('inference_workers', '0001_squashed_0013_house_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(max_length=40)),
                ('subject_id', models.CharField(max_length=40)),
                ('verb', models.CharField(max_length=40)),
                ('from_state', models.CharField(blank=True, max_length=20)),
                ('to_state', models.CharField(blank=True, max_length=20)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('data', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
            ],
            options={
                'indexes': [models.Index(fields=['subject', 'subject_id'], name='event_subject')],
            },
        ),
        migrations.CreateModel(
            name='Prompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('messages', models.JSONField(null=True)),
                ('digest', models.CharField(db_index=True, max_length=64)),
                ('language', models.CharField(blank=True, max_length=12)),
                ('labelled_under', models.CharField(blank=True, db_default='', db_index=True, max_length=80)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('personal_text', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('messages__isnull', False), ('personal_text__isnull', True)), models.Q(('messages__isnull', True), ('personal_text__isnull', False)), _connector='OR'), name='prompt_text_in_one_place')],
            },
        ),
        migrations.CreateModel(
            name='PromptLabel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('rules', 'What is asked for, by rules'), ('language', 'Its language')], max_length=10)),
                ('version', models.CharField(max_length=80)),
                ('labels', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('confidence', models.FloatField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='labels', to='annotation.prompt')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('prompt', 'kind', 'version'), name='one_label_per_version')],
            },
        ),
        migrations.CreateModel(
            name='Contestant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('language_model', 'Language model'), ('imported', 'Imported name')], max_length=16)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('settings_name', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('sampling', models.JSONField(null=True)),
                ('sampling_digest', models.CharField(blank=True, db_default='', default='', max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('merged_into', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged_from', to='annotation.contestant')),
                ('revision', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='contestants', to='inference_workers.languagemodelrevision')),
                ('version_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='annotation.contestant')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('revision__isnull', False)), fields=('revision', 'sampling_digest'), name='one_contestant_per_settings'), models.UniqueConstraint(condition=models.Q(('revision__isnull', False)), fields=('revision', 'settings_name'), name='one_contestant_per_settings_name'), models.CheckConstraint(condition=models.Q(models.Q(('sampling__isnull', True), ('sampling_digest', ''), ('settings_name', '')), models.Q(models.Q(('settings_name', ''), _negated=True), ('revision__isnull', False), ('sampling__isnull', False), models.Q(('sampling_digest', ''), _negated=True)), _connector='OR'), name='contestant_settings_are_whole'), models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), models.Q(('merged_into', models.F('id')), _negated=True), _connector='OR'), name='contestant_not_merged_into_itself')],
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('purpose', models.TextField(blank=True, verbose_name='purpose')),
                ('standard', models.TextField(blank=True, verbose_name='role and standard to judge by')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('pilot', 'Pilot'), ('running', 'Running'), ('paused', 'Paused'), ('closed', 'Closed')], default='draft', max_length=10)),
                ('draft', models.JSONField(blank=True, db_default={}, default=dict)),
                ('is_template', models.BooleanField(db_default=False, default=False)),
                ('is_arena', models.BooleanField(db_default=False, default=False)),
                ('pool', models.CharField(choices=[('invited', 'Only with an invitation'), ('annotators', 'Every annotator'), ('experts', 'Every reviewer')], db_default='invited', default='invited', max_length=12, verbose_name='who may join')),
                ('responses_per_item', models.PositiveSmallIntegerField(db_default=2, default=2, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(9)], verbose_name='responses per item')),
                ('overlap', models.PositiveSmallIntegerField(default=1, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000)], verbose_name='judgments per item')),
                ('order_design', models.CharField(choices=[('drawn', 'Drawn each time'), ('balanced', 'Balanced within each item')], db_default='drawn', default='drawn', max_length=10, verbose_name='order of responses')),
                ('overlap_limit', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='judgments where people disagree')),
                ('quota_per_annotator', models.PositiveIntegerField(blank=True, null=True, verbose_name='most judgments per person')),
                ('share_per_annotator', models.FloatField(blank=True, null=True, verbose_name='largest share of one person')),
                ('group_quotas', models.JSONField(blank=True, db_default={}, default=dict)),
                ('gold_share', models.FloatField(db_default=0, default=0, verbose_name='share of gold items')),
                ('attention_share', models.FloatField(db_default=0, default=0, verbose_name='share of attention checks')),
                ('repeat_share', models.FloatField(db_default=0, default=0, verbose_name='share of repeated items')),
                ('pass_mark', models.FloatField(blank=True, null=True, verbose_name='share of the test that must be right')),
                ('deadline', models.DateTimeField(blank=True, null=True, verbose_name='deadline')),
                ('budget_judgments', models.PositiveIntegerField(blank=True, null=True, verbose_name='most judgments')),
                ('budget_money', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, verbose_name='most money')),
                ('pay_per_judgment', models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True, verbose_name='pay per judgment')),
                ('pay_currency', models.CharField(db_default='USD', default='USD', max_length=8, verbose_name='currency of pay')),
                ('pay_floor', models.DecimalField(blank=True, decimal_places=2, max_digits=8, null=True, verbose_name='least pay per hour')),
                ('expected_seconds', models.PositiveIntegerField(blank=True, null=True, verbose_name='expected seconds per item')),
                ('screen_out_pay', models.DecimalField(blank=True, decimal_places=2, max_digits=8, null=True, verbose_name='pay of a screen-out')),
                ('warned_content', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), blank=True, db_default=[], default=list, size=None)),
                ('exposure_cap', models.PositiveIntegerField(blank=True, null=True, verbose_name='most items with a warning per person and day')),
                ('played_share', models.FloatField(blank=True, null=True, verbose_name='share that must be played')),
                ('endowments', django.contrib.postgres.fields.ArrayField(base_field=models.DecimalField(decimal_places=4, max_digits=16), blank=True, db_default=[], default=list, size=None)),
                ('session_items', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='items per session')),
                ('withdrawal_until', models.DateField(blank=True, null=True, verbose_name='last day for withdrawals')),
                ('contact', models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='contact')),
                ('lease_seconds', models.PositiveIntegerField(default=3600, verbose_name='lease in seconds')),
                ('currency', models.CharField(default='USD', max_length=8, verbose_name='unit of amounts')),
                ('policy', models.CharField(default='uniform', max_length=40, verbose_name='selection policy')),
                ('policy_parameters', models.JSONField(blank=True, default=dict)),
                ('keeps_state', models.BooleanField(db_default=False, default=False)),
                ('learns_by_category', models.BooleanField(db_default=False, default=False)),
                ('wrapped_key', models.BinaryField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('shadow_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='shadows', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('gold_share__gte', 0), ('repeat_share__gte', 0), ('gold_share__lte', 0.5), ('repeat_share__lte', 0.5), models.Q(('share_per_annotator__isnull', True), models.Q(('share_per_annotator__gt', 0), ('share_per_annotator__lte', 1)), _connector='OR'), models.Q(('pass_mark__isnull', True), models.Q(('pass_mark__gt', 0), ('pass_mark__lte', 1)), _connector='OR'), models.Q(('played_share__isnull', True), models.Q(('played_share__gt', 0), ('played_share__lte', 1)), _connector='OR')), name='campaign_shares_in_range'), models.CheckConstraint(condition=models.Q(('attention_share__gte', 0), ('attention_share__lte', 0.5)), name='campaign_attention_share_in_range'), models.CheckConstraint(condition=models.Q(('overlap_limit__isnull', True), ('overlap_limit__gte', models.F('overlap')), _connector='OR'), name='overlap_limit_not_below_overlap'), models.CheckConstraint(condition=models.Q(('is_arena', False), models.Q(('attention_share', 0), ('gold_share', 0), ('overlap', 1), ('overlap_limit__isnull', True), ('pay_per_judgment__isnull', True), ('pool', 'invited'), ('repeat_share', 0), ('responses_per_item__gte', 2), ('responses_per_item__lte', 4)), _connector='OR'), name='arena_is_for_visitors')],
            },
        ),
        migrations.CreateModel(
            name='CampaignSelection',
            fields=[
                ('campaign', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='selection', serialize=False, to='annotation.campaign')),
                ('digest', models.CharField(max_length=64)),
                ('payload', models.BinaryField()),
                ('votes', models.PositiveBigIntegerField()),
                ('computed_at', models.DateTimeField()),
                ('seconds', models.FloatField()),
            ],
        ),
        migrations.CreateModel(
            name='Board',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('method', models.CharField(choices=[('bradley_terry', 'Bradley-Terry'), ('bt_half', 'Bradley-Terry, both-bad as half')], default='bradley_terry', max_length=20, verbose_name='method')),
                ('slice', models.JSONField(blank=True, default=dict)),
                ('is_public', models.BooleanField(default=True, verbose_name='public')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='boards', to='annotation.campaign')),
            ],
        ),
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('open', 'Waiting for a decision'), ('accepted', 'Accepted'), ('returned', 'Returned')], default='open', max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('settled_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='one_batch_per_number')],
            },
        ),
        migrations.CreateModel(
            name='CategorySelection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('category', models.CharField(max_length=120)),
                ('digest', models.CharField(max_length=64)),
                ('payload', models.BinaryField()),
                ('votes', models.PositiveBigIntegerField()),
                ('computed_at', models.DateTimeField()),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='category_selections', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'category'), name='one_selection_per_category')],
            },
        ),
        migrations.CreateModel(
            name='ConsentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('withdrawal_until', models.DateField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consent_texts', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='one_consent_per_number')],
            },
        ),
        migrations.CreateModel(
            name='GuidelinesVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField()),
                ('requalify', models.BooleanField(db_default=False, default=False)),
                ('answers_only', models.BooleanField(db_default=False, default=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='guidelines_versions', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='one_guidelines_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Instrument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='instruments', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='one_instrument_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('token_digest', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(choices=[('visitor', 'Visitor'), ('annotator', 'Annotator'), ('expert', 'Expert'), ('model_judge', 'Model judge'), ('rule', 'Rule'), ('imported', 'Imported person'), ('simulated', 'Simulated person')], default='annotator', max_length=12)),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), blank=True, default=list, size=None)),
                ('most_uses', models.PositiveIntegerField(blank=True, null=True, verbose_name='how many people may use it')),
                ('uses', models.PositiveIntegerField(default=0)),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='valid until')),
                ('revoked_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('most_uses__isnull', True), ('uses__lte', models.F('most_uses')), _connector='OR'), name='invitation_not_used_more_often'), models.CheckConstraint(condition=models.Q(('kind__in', ['annotator', 'expert'])), name='invitation_for_annotators_or_experts')],
            },
        ),
        migrations.CreateModel(
            name='LeaderboardSnapshot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('method', models.CharField(choices=[('bradley_terry', 'Bradley-Terry'), ('bt_half', 'Bradley-Terry, both-bad as half')], max_length=20)),
                ('code_version', models.CharField(max_length=40)),
                ('slice', models.JSONField(default=dict)),
                ('last_sequence', models.BigIntegerField()),
                ('retired_sources', models.JSONField(default=list)),
                ('judgments', models.PositiveIntegerField()),
                ('standings', models.JSONField()),
                ('digest', models.CharField(max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('board', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='snapshots', to='annotation.board')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('board', 'number'), name='one_snapshot_per_number')],
            },
        ),
        migrations.CreateModel(
            name='DatasetVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('views', models.JSONField(default=list)),
                ('filters', models.JSONField(default=dict)),
                ('last_sequence', models.BigIntegerField()),
                ('state', models.CharField(choices=[('queued', 'Waiting'), ('building', 'Building'), ('ready', 'Ready'), ('failed', 'Failed')], default='queued', max_length=10)),
                ('lease_token', models.UUIDField(null=True)),
                ('lease_expires_at', models.DateTimeField(null=True)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('error_message', models.TextField(blank=True)),
                ('files', models.JSONField(default=list)),
                ('counts', models.JSONField(default=dict)),
                ('rows_digest', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='dataset_versions', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('snapshot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.leaderboardsnapshot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='one_dataset_per_number')],
            },
        ),
        migrations.CreateModel(
            name='MediaFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('image', 'Image'), ('audio', 'Sound'), ('video', 'Film')], max_length=8)),
                ('name', models.CharField(max_length=255)),
                ('sha256', models.CharField(max_length=64)),
                ('stored', models.CharField(max_length=255)),
                ('content_type', models.CharField(max_length=80)),
                ('size', models.BigIntegerField()),
                ('width', models.PositiveIntegerField(null=True)),
                ('height', models.PositiveIntegerField(null=True)),
                ('seconds', models.FloatField(null=True)),
                ('captions', models.CharField(blank=True, db_default='', default='', max_length=255)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='media', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
            ],
            options={
                'indexes': [models.Index(fields=['campaign', 'sha256'], name='media_content')],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'name'), name='one_media_file_per_name'), models.CheckConstraint(condition=models.Q(('kind', 'audio'), models.Q(('height__isnull', False), ('width__isnull', False)), _connector='OR'), name='media_has_its_measures')],
            },
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('currency', models.CharField(max_length=8)),
                ('total', models.DecimalField(decimal_places=2, max_digits=14)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'number'), name='one_payout_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reference', models.CharField(max_length=200)),
                ('paid_at', models.DateTimeField()),
                ('confirmed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('payout', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='payment', to='annotation.payout')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Question',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('name', models.SlugField(max_length=40)),
                ('type', models.CharField(max_length=40)),
                ('title', models.CharField(blank=True, max_length=300)),
                ('required', models.BooleanField(default=True)),
                ('settings', models.JSONField(default=dict)),
                ('condition', models.JSONField(null=True)),
                ('ask_probability', models.FloatField(default=1.0)),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='questions', to='annotation.instrument')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('instrument', 'position'), name='one_question_per_position'), models.UniqueConstraint(fields=('instrument', 'name'), name='one_question_per_name'), models.CheckConstraint(condition=models.Q(('ask_probability__gt', 0), ('ask_probability__lte', 1)), name='ask_probability_in_range')],
            },
        ),
        migrations.CreateModel(
            name='SlotTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('wanted', models.IntegerField()),
                ('taken', models.IntegerField()),
                ('done', models.IntegerField(db_default=0)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotation.campaign')),
            ],
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('live', 'Live'), ('import', 'Imported'), ('simulation', 'Simulated'), ('judge', 'Model judge'), ('named', 'Battles of models that visitors named'), ('own_set', 'Battles among visitors’ own models')], max_length=12)),
                ('name', models.CharField(max_length=120)),
                ('state', models.CharField(choices=[('active', 'Active'), ('retired', 'Retired'), ('apart', 'Apart, read only where asked for')], default='active', max_length=10)),
                ('details', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sources', to='annotation.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind', 'live')), fields=('campaign',), name='one_live_source_per_campaign'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('judge', 'named', 'own_set')), models.Q(('state', 'active'), _negated=True)), models.Q(models.Q(('kind__in', ('judge', 'named', 'own_set')), _negated=True), models.Q(('state', 'apart'), _negated=True)), _connector='OR'), name='judges_stand_apart'), models.UniqueConstraint(condition=models.Q(('kind__in', ('named', 'own_set'))), fields=('campaign', 'kind'), name='one_uncounted_source_per_kind')],
            },
        ),
        migrations.CreateModel(
            name='Generation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('responses', 'Responses of language models'), ('gold', 'Gold items')], default='responses', max_length=10)),
                ('state', models.CharField(choices=[('running', 'Running'), ('paused', 'Paused'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='running', max_length=10)),
                ('contestants', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
                ('parameters', models.JSONField(default=dict)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='generations', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='generations', to='annotation.source')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'running')), fields=['created_at'], name='generation_running')],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('prompt_key', models.CharField(blank=True, max_length=200)),
                ('category', models.CharField(blank=True, max_length=120)),
                ('flags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), default=list, size=None)),
                ('language', models.CharField(blank=True, max_length=12)),
                ('state', models.CharField(choices=[('filling', 'Waiting for responses'), ('proposed', 'Waiting to be checked by an admin'), ('open', 'Open'), ('frozen', 'Frozen by its first judgment'), ('void', 'Void')], default='filling', max_length=10)),
                ('purpose', models.CharField(choices=[('work', 'Work'), ('gold', 'Gold, the right answer is known'), ('attention', 'Attention check'), ('training', 'Training, with an explanation'), ('qualification', 'Qualification test'), ('anchor', 'Anchor, everybody judges it')], db_default='work', default='work', max_length=14)),
                ('expected', models.JSONField(null=True)),
                ('explanation', models.TextField(blank=True, db_default='')),
                ('warnings', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), db_default=[], default=list, size=None)),
                ('made', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotation.campaign')),
                ('generation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotation.generation')),
                ('repeat_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='repeats', to='annotation.item')),
                ('test_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.guidelinesversion')),
                ('prompt', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotation.prompt')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotation.source')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('purpose', 'work'), _negated=True), fields=['campaign', 'purpose'], name='item_checks'), models.Index(condition=models.Q(('generation__isnull', False)), fields=['generation', 'state'], name='item_made')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('purpose__in', ['gold', 'attention', 'qualification']), _negated=True), ('expected__isnull', False), _connector='OR'), name='checked_item_has_expectation')],
            },
        ),
        migrations.CreateModel(
            name='FollowUp',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('messages', models.JSONField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('personal_text', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='follow_ups', to='annotation.item')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('item', 'number'), name='one_follow_up_per_number'), models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='follow_up_number_positive'), models.CheckConstraint(condition=models.Q(models.Q(('messages__isnull', False), ('personal_text__isnull', True)), models.Q(('messages__isnull', True), ('personal_text__isnull', False)), _connector='OR'), name='follow_up_text_in_one_place')],
            },
        ),
        migrations.CreateModel(
            name='ItemComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='annotation.item')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('personal_text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Respondent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('visitor', 'Visitor'), ('annotator', 'Annotator'), ('expert', 'Expert'), ('model_judge', 'Model judge'), ('rule', 'Rule'), ('imported', 'Imported person'), ('simulated', 'Simulated person')], max_length=12)),
                ('pseudonym', models.CharField(max_length=64)),
                ('groups', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), default=list, size=None)),
                ('state', models.CharField(choices=[('active', 'Active'), ('screened_out', 'Screened out'), ('blocked', 'Blocked'), ('withdrawn', 'Withdrawn')], db_default='active', default='active', max_length=12)),
                ('consented_at', models.DateTimeField(null=True)),
                ('releases_texts', models.BooleanField(db_default=False, default=False)),
                ('withdrawn_at', models.DateTimeField(null=True)),
                ('declined_content', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=80), db_default=[], default=list, size=None)),
                ('break_offered_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='respondents', to='annotation.campaign')),
                ('consent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.consenttext')),
                ('guidelines', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.guidelinesversion')),
                ('invitation', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='respondents', to='annotation.invitation')),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='respondents', to='accounts.person')),
                ('qualified_under', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.guidelinesversion')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='respondents', to='annotation.source')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('source', 'pseudonym'), name='one_respondent_per_pseudonym'), models.UniqueConstraint(condition=models.Q(('person__isnull', False)), fields=('campaign', 'person'), name='one_respondent_per_person'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['visitor', 'annotator', 'expert']), ('person__isnull', False)), models.Q(('kind__in', ['model_judge', 'rule', 'imported', 'simulated']), ('person__isnull', True)), _connector='OR'), name='known_respondent_has_person')],
            },
        ),
        migrations.CreateModel(
            name='PayoutLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('payout', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='annotation.payout')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payout_lines', to='annotation.respondent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('payout', 'respondent'), name='one_line_per_person_and_payout')],
            },
        ),
        migrations.CreateModel(
            name='GuidelineQuestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('published_question', models.TextField(blank=True)),
                ('answer', models.TextField(blank=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='guideline_questions', to='annotation.campaign')),
                ('personal_text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('published_in', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='annotation.guidelinesversion')),
                ('item', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.item')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='guideline_questions', to='annotation.respondent')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True)), models.Q(('answered_at__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='answered_question_has_answer')],
            },
        ),
        migrations.CreateModel(
            name='Flag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('broken', 'Something is missing or broken'), ('unclear', 'The question cannot be answered as it is put'), ('harmful', 'I do not want to look at this'), ('personal', "It holds somebody's personal data"), ('other', 'Something else')], max_length=12)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('resolved_at', models.DateTimeField(null=True)),
                ('personal_text', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags_raised', to='annotation.item')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags_raised', to='annotation.respondent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'respondent'), name='one_flag_per_respondent_and_item')],
            },
        ),
        migrations.CreateModel(
            name='DatasetWithdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('judgments', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='annotation.datasetversion')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.respondent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('version', 'respondent'), name='one_withdrawal_per_version_and_respondent')],
            },
        ),
        migrations.CreateModel(
            name='Response',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('sample', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('digest', models.CharField(blank=True, max_length=64)),
                ('contestant', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='annotation.contestant')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='responses', to='annotation.item')),
            ],
            options={
                'ordering': ['position'],
                'constraints': [models.UniqueConstraint(fields=('item', 'position'), name='one_response_per_position')],
            },
        ),
        migrations.CreateModel(
            name='Slot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('place', models.FloatField(db_default=django.db.models.functions.math.Random())),
                ('state', models.CharField(choices=[('open', 'Open'), ('claimed', 'Claimed'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='open', max_length=10)),
                ('for_one', models.BooleanField(db_default=False)),
                ('pair_low', models.BigIntegerField(null=True)),
                ('pair_high', models.BigIntegerField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slots', to='annotation.campaign')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slots', to='annotation.item')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['campaign', 'place'], name='slot_open'), models.Index(condition=models.Q(('pair_low__isnull', False), ('state', 'open')), fields=['campaign', 'pair_low', 'pair_high', 'place'], name='slot_open_pair')],
                'constraints': [models.UniqueConstraint(fields=('item', 'number'), name='one_slot_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'Open'), ('submitted', 'Submitted'), ('skipped', 'Skipped'), ('expired', 'Expired'), ('cancelled', 'Cancelled')], default='open', max_length=10)),
                ('lease_token', models.UUIDField()),
                ('lease_expires_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='annotation.item')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='annotation.respondent')),
                ('slot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to='annotation.slot')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'open')), fields=['lease_expires_at'], name='assignment_leases')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'expired'), _negated=True), fields=('respondent', 'item'), name='one_assignment_per_respondent_and_item'), models.UniqueConstraint(condition=models.Q(('state__in', ['open', 'submitted'])), fields=('slot',), name='one_holder_per_slot')],
            },
        ),
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(default=1)),
                ('sealed', models.BinaryField()),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='draft', to='annotation.assignment')),
            ],
        ),
        migrations.CreateModel(
            name='Impression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), size=None)),
                ('questions_asked', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), default=list, size=None)),
                ('policy', models.CharField(blank=True, max_length=40)),
                ('policy_version', models.CharField(blank=True, max_length=20)),
                ('parameters', models.JSONField(default=dict)),
                ('candidate_count', models.PositiveIntegerField(null=True)),
                ('candidate_digest', models.CharField(blank=True, max_length=64)),
                ('outstanding', models.PositiveIntegerField(null=True)),
                ('seed', models.BigIntegerField(null=True)),
                ('floor', models.BooleanField(null=True)),
                ('pair_design', models.CharField(choices=[('drawn', 'Drawn'), ('chosen', 'Chosen by the person'), ('assigned', 'Assigned'), ('imported', 'Imported'), ('offered', 'Chosen by the person among drawn ones')], max_length=10)),
                ('p_pair', models.FloatField(null=True)),
                ('side_design', models.CharField(choices=[('drawn', 'Drawn'), ('chosen', 'Chosen by the person'), ('assigned', 'Assigned'), ('imported', 'Imported'), ('offered', 'Chosen by the person among drawn ones')], max_length=10)),
                ('p_side', models.FloatField(null=True)),
                ('prompt_design', models.CharField(choices=[('drawn', 'Drawn'), ('chosen', 'Chosen by the person'), ('assigned', 'Assigned'), ('imported', 'Imported'), ('offered', 'Chosen by the person among drawn ones')], max_length=10)),
                ('p_prompt', models.FloatField(null=True)),
                ('questions_design', models.CharField(choices=[('drawn', 'Drawn'), ('chosen', 'Chosen by the person'), ('assigned', 'Assigned'), ('imported', 'Imported'), ('offered', 'Chosen by the person among drawn ones')], max_length=10)),
                ('p_questions', models.FloatField(null=True)),
                ('shown_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('assignment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='impressions', to='annotation.assignment')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='impressions', to='annotation.campaign')),
                ('guidelines', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.guidelinesversion')),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.instrument')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='impressions', to='annotation.item')),
                ('snapshot', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.leaderboardsnapshot')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='impressions', to='annotation.respondent')),
            ],
            options={
                'indexes': [models.Index(fields=['campaign', 'shown_at'], name='impression_campaign')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('p_pair__gt', 0), ('p_pair__isnull', False), ('p_pair__lte', 1), ('pair_design', 'drawn')), models.Q(models.Q(('pair_design', 'drawn'), _negated=True), ('p_pair__isnull', True)), _connector='OR'), name='impression_pair_probability'), models.CheckConstraint(condition=models.Q(models.Q(('p_side__gt', 0), ('p_side__isnull', False), ('p_side__lte', 1), ('side_design', 'drawn')), models.Q(models.Q(('side_design', 'drawn'), _negated=True), ('p_side__isnull', True)), _connector='OR'), name='impression_side_probability'), models.CheckConstraint(condition=models.Q(models.Q(('p_prompt__gt', 0), ('p_prompt__isnull', False), ('p_prompt__lte', 1), ('prompt_design', 'drawn')), models.Q(models.Q(('prompt_design', 'drawn'), _negated=True), ('p_prompt__isnull', True)), _connector='OR'), name='impression_prompt_probability'), models.CheckConstraint(condition=models.Q(models.Q(('p_questions__gt', 0), ('p_questions__isnull', False), ('p_questions__lte', 1), ('questions_design', 'drawn')), models.Q(models.Q(('questions_design', 'drawn'), _negated=True), ('p_questions__isnull', True)), _connector='OR'), name='impression_questions_probability')],
            },
        ),
        migrations.CreateModel(
            name='ImpressionEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answered', 'Answered'), ('skipped', 'Skipped'), ('abandoned', 'Abandoned'), ('expired', 'Expired'), ('voided', 'Voided')], max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('impression', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='end', to='annotation.impression')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Judgment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer', 'Answer'), ('retraction', 'Retraction'), ('undone', 'Undone')], default='answer', max_length=10)),
                ('order', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), size=None)),
                ('contestants', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(null=True), size=None)),
                ('answers', models.JSONField(default=dict)),
                ('preference', models.CharField(blank=True, choices=[('a', 'A'), ('b', 'B'), ('tie', 'No difference'), ('cannot_compare', 'Cannot judge'), ('both_bad', 'Both bad (imported)')], max_length=16)),
                ('strength', models.SmallIntegerField(null=True)),
                ('strength_scale', models.PositiveSmallIntegerField(null=True)),
                ('amount_low', models.DecimalField(decimal_places=4, max_digits=16, null=True)),
                ('amount_high', models.DecimalField(decimal_places=4, max_digits=16, null=True)),
                ('net_utility', models.DecimalField(decimal_places=4, max_digits=16, null=True)),
                ('currency', models.CharField(blank=True, max_length=8)),
                ('amount_mode', models.CharField(blank=True, max_length=20)),
                ('incentive', models.CharField(blank=True, choices=[('stated', 'Stated, no money changes hands'), ('paid_self', 'Paid, own prompt'), ('paid_delegated', 'Paid, for somebody else')], max_length=20)),
                ('acceptable', django.contrib.postgres.fields.ArrayField(base_field=models.BooleanField(), null=True, size=None)),
                ('tiers', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), null=True, size=None)),
                ('scores', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), null=True, size=None)),
                ('thumb', models.BooleanField(null=True)),
                ('context', models.CharField(blank=True, db_default='', max_length=80)),
                ('confidence', models.PositiveSmallIntegerField(null=True)),
                ('rendered_at', models.DateTimeField(null=True)),
                ('first_touch_at', models.DateTimeField(null=True)),
                ('submitted_at', models.DateTimeField()),
                ('active_ms', models.PositiveIntegerField(null=True)),
                ('media_played', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), null=True, size=None)),
                ('device_class', models.CharField(blank=True, max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('transaction', models.BigIntegerField(db_default=annotation.models.judgments.CurrentTransaction(), editable=False)),
                ('assignment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='judgments', to='annotation.assignment')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgments', to='annotation.campaign')),
                ('guidelines', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.guidelinesversion')),
                ('impression', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgments', to='annotation.impression')),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.instrument')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgments', to='annotation.item')),
                ('supersedes', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='annotation.judgment')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgments', to='annotation.respondent')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgments', to='annotation.source')),
            ],
            options={
                'indexes': [models.Index(fields=['transaction', 'id'], name='judgment_commit_order')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('supersedes__isnull', True)), fields=('respondent', 'item'), name='one_first_judgment_per_respondent_and_item'), models.CheckConstraint(condition=models.Q(('kind', 'answer'), ('supersedes__isnull', False), _connector='OR'), name='retraction_supersedes'), models.CheckConstraint(condition=models.Q(('strength__isnull', True), models.Q(('preference', 'a'), ('strength__gt', 0)), models.Q(('preference', 'b'), ('strength__lt', 0)), models.Q(('preference', 'tie'), ('strength', 0)), models.Q(('preference', ''), ('strength__isnull', False)), _connector='OR'), name='strength_agrees_with_preference'), models.CheckConstraint(condition=models.Q(('strength__isnull', True), models.Q(('strength__lte', models.F('strength_scale')), ('strength_scale__isnull', False), ('strength__gte', django.db.models.expressions.CombinedExpression(models.Value(0), '-', models.F('strength_scale')))), _connector='OR'), name='strength_has_scale'), models.CheckConstraint(condition=models.Q(models.Q(('amount_high__isnull', True), ('amount_low__isnull', True), ('net_utility__isnull', True)), models.Q(models.Q(('currency', ''), _negated=True), models.Q(('amount_mode', ''), _negated=True), models.Q(('incentive', ''), _negated=True)), _connector='OR'), name='amount_has_unit_mode_and_incentive'), models.CheckConstraint(condition=models.Q(('amount_low__isnull', True), ('amount_high__isnull', True), ('amount_low__lte', models.F('amount_high')), _connector='OR'), name='amount_interval_ordered'), models.CheckConstraint(condition=models.Q(('net_utility__isnull', True), models.Q(('net_utility__gte', 0), ('preference', 'a')), models.Q(('net_utility__lte', 0), ('preference', 'b')), models.Q(('net_utility', 0), ('preference', 'tie')), ('preference', ''), _connector='OR'), name='amount_sign_agrees_with_preference')],
            },
        ),
        migrations.CreateModel(
            name='Adjudication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('saw_others', models.BooleanField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjudications', to='annotation.item')),
                ('judgment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='adjudication', to='annotation.judgment')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='JudgmentText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('question', models.CharField(max_length=40)),
                ('judgment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='texts', to='annotation.judgment')),
                ('personal_text', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('judgment', 'question'), name='one_text_per_question')],
            },
        ),
        migrations.CreateModel(
            name='LogEntry',
            fields=[
                ('sequence', models.BigIntegerField(primary_key=True, serialize=False)),
                ('digest', models.BinaryField(max_length=32)),
                ('judgment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='log_entry', to='annotation.judgment')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Waiting for a decision'), ('approved', 'Approved'), ('contested', 'One reviewer rejects it'), ('rejected', 'Rejected'), ('appealed', 'Rejected, with an appeal'), ('returned', 'Returned with its batch')], default='pending', max_length=10)),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='annotation.batch')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='annotation.campaign')),
                ('judgment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review', to='annotation.judgment')),
            ],
            options={
                'indexes': [models.Index(fields=['campaign', 'state'], name='review_state')],
            },
        ),
        migrations.CreateModel(
            name='ReviewDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verdict', models.CharField(choices=[('approve', 'Approves'), ('reject', 'Rejects'), ('appeal', 'Appeals'), ('reopen', 'Opens it again'), ('return', 'Returns it with its batch')], max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('person', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('personal_text', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('review', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='annotation.review')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Judging',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template_version', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('running', 'Running'), ('paused', 'Paused'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='running', max_length=10)),
                ('items', models.CharField(choices=[('all', 'All items'), ('sample', 'Some, drawn at random'), ('judged', 'Those that people have judged')], max_length=10)),
                ('parameters', models.JSONField(default=dict)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgings', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('instrument', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.instrument')),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='judgings', to='inference_workers.languagemodelrevision')),
                ('source', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='judging', to='annotation.source')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'running')), fields=['created_at'], name='judging_running')],
            },
        ),
        migrations.CreateModel(
            name='ItemUpload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('stored', models.CharField(max_length=255)),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.BigIntegerField()),
                ('mapping', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('uploaded', 'Waiting for its columns to be told'), ('queued', 'Waiting'), ('writing', 'Being read'), ('done', 'Read'), ('failed', 'Refused')], default='uploaded', max_length=10)),
                ('lease_token', models.UUIDField(null=True)),
                ('lease_expires_at', models.DateTimeField(null=True)),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('progress', models.FloatField(default=0)),
                ('problems', models.JSONField(default=list)),
                ('items', models.PositiveIntegerField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('finished_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uploads', to='annotation.campaign')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('source', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.source')),
            ],
        ),
        migrations.CreateModel(
            name='Study',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('external_id', models.CharField(max_length=80, verbose_name='study id')),
                ('completion_code', models.CharField(max_length=40, verbose_name='completion code')),
                ('screen_out_code', models.CharField(max_length=40, verbose_name='code of a screen-out')),
                ('over_quota_code', models.CharField(max_length=40, verbose_name='code of a full study')),
                ('judgments', models.PositiveIntegerField(blank=True, null=True, verbose_name='judgments per person')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='studies', to='annotation.campaign')),
                ('invitation', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='study', to='annotation.invitation')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'external_id'), name='one_study_per_id_and_campaign')],
            },
        ),
        migrations.CreateModel(
            name='StudyParticipant',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=64)),
                ('session_id', models.CharField(blank=True, max_length=80)),
                ('state', models.CharField(choices=[('started', 'Started'), ('completed', 'Completed'), ('screened_out', 'Screened out'), ('over_quota', 'Came when it was full')], default='started', max_length=12)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('participant_id', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('respondent', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='participant', to='annotation.respondent')),
                ('study', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='participants', to='annotation.study')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('study', 'digest'), name='one_participant_per_study')],
            },
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('completion', 'Completion'), ('text', 'Text'), ('file', 'File'), ('absent', 'Not given')], max_length=10)),
                ('text', models.TextField(null=True)),
                ('file', models.CharField(blank=True, max_length=255)),
                ('replacements', models.PositiveSmallIntegerField(default=0)),
                ('regenerations', models.PositiveSmallIntegerField(db_default=0, default=0)),
                ('completion', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='turns', related_query_name='turn', to='inference_workers.completion')),
                ('personal_text', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.personaltext')),
                ('response', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='turns', to='annotation.response')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('response', 'number'), name='one_turn_per_number'), models.CheckConstraint(condition=models.Q(models.Q(('completion__isnull', False), ('file', ''), ('kind', 'completion'), ('text__isnull', True)), models.Q(('completion__isnull', True), ('file', ''), ('kind', 'text'), models.Q(('text__isnull', False), ('personal_text__isnull', False), _connector='XOR')), models.Q(('kind', 'file'), ('text__isnull', True), models.Q(('file', ''), _negated=True)), models.Q(('completion__isnull', True), ('file', ''), ('kind', 'absent'), ('personal_text__isnull', True), ('text__isnull', True)), _connector='OR'), name='turn_content_fits_kind')],
            },
        ),
        migrations.CreateModel(
            name='Reaction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('regenerations', models.PositiveSmallIntegerField(default=0)),
                ('kind', models.CharField(choices=[('useful', 'Useful'), ('complete', 'Complete'), ('creative', 'Creative'), ('clear', 'Clear style'), ('incorrect', 'Incorrect'), ('superficial', 'Superficial'), ('disobeys', 'Instructions not followed')], max_length=12)),
                ('is_set', models.BooleanField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reactions', to='annotation.respondent')),
                ('turn', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reactions', to='annotation.turn')),
            ],
            options={
                'indexes': [models.Index(fields=['turn', 'respondent'], name='reaction_turn')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['useful', 'complete', 'creative', 'clear', 'incorrect', 'superficial', 'disobeys'])), name='reaction_kind_known')],
            },
        ),
        migrations.CreateModel(
            name='EarlierTurn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('completion', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='earlier_turn', to='inference_workers.completion')),
                ('turn', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='earlier', to='annotation.turn')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('turn', 'number'), name='one_earlier_turn_per_number')],
            },
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('swapped', models.BooleanField()),
                ('state', models.CharField(choices=[('waiting', 'Not asked yet'), ('asked', 'Asked'), ('judged', 'Judged'), ('failed', 'No answer that can be read'), ('cancelled', 'Cancelled')], default='waiting', max_length=10)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('paid', models.DecimalField(decimal_places=10, max_digits=18, null=True)),
                ('problem', models.CharField(blank=True, max_length=300)),
                ('completion', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='verdict', to='inference_workers.completion')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='annotation.item')),
                ('judging', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='annotation.judging')),
                ('judgment', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='verdict', to='annotation.judgment')),
            ],
            options={
                'indexes': [models.Index(fields=['judging', 'state'], name='verdict_state')],
                'constraints': [models.UniqueConstraint(fields=('judging', 'item', 'swapped'), name='one_verdict_per_item_and_order'), models.CheckConstraint(condition=models.Q(models.Q(('judgment__isnull', False), ('state', 'judged')), models.Q(models.Q(('state', 'judged'), _negated=True), ('judgment__isnull', True)), _connector='OR'), name='judged_verdict_has_its_judgment'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'asked'), _negated=True), ('completion__isnull', False), _connector='OR'), name='asked_verdict_has_a_completion')],
            },
        ),
        migrations.CreateModel(
            name='WorkTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('given', models.IntegerField()),
                ('respondent', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotation.respondent')),
            ],
        ),
        migrations.CreateModel(
            name='WorthSession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('check', 'Comprehension check'), ('practice', 'Practice'), ('items', 'Items'), ('locked', 'Answers locked'), ('drawn', 'Drawn'), ('ended', 'Ended before its items, and paid')], default='check', max_length=10)),
                ('incentive', models.CharField(max_length=20)),
                ('endowment', models.DecimalField(decimal_places=4, max_digits=16, null=True)),
                ('currency', models.CharField(max_length=8)),
                ('seed', models.CharField(max_length=64)),
                ('commitment', models.CharField(max_length=64)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('practice', models.JSONField(default=list)),
                ('deviation', models.FloatField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('locked_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='worth_sessions', to='annotation.campaign')),
                ('respondent', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='worth_session', to='annotation.respondent')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('endowment__isnull', True), ('incentive', 'stated')), models.Q(models.Q(('incentive', 'stated'), _negated=True), ('endowment__gt', 0)), _connector='OR'), name='paid_session_has_endowment')],
            },
        ),
        migrations.CreateModel(
            name='Draw',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('candidates', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), size=None)),
                ('amount', models.DecimalField(decimal_places=4, max_digits=16, null=True)),
                ('price', models.DecimalField(decimal_places=4, max_digits=16)),
                ('bought', models.BooleanField()),
                ('endowment', models.DecimalField(decimal_places=4, max_digits=16)),
                ('payout', models.DecimalField(decimal_places=4, max_digits=16)),
                ('currency', models.CharField(max_length=8)),
                ('seed', models.CharField(max_length=64)),
                ('commitment', models.CharField(max_length=64)),
                ('token', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.item')),
                ('judgment', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.judgment')),
                ('session', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='draw', to='annotation.worthsession')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('draw', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='delivery', to='annotation.draw')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('fee', 'Judgment'), ('bonus', 'Bonus'), ('screen_out', 'Screen-out'), ('draw', 'Draw'), ('reversal', 'Reversal'), ('carried', 'Less than a cent, carried to the next payout')], max_length=12)),
                ('amount', models.DecimalField(decimal_places=4, max_digits=14)),
                ('currency', models.CharField(max_length=8)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('approved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.person')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='annotation.campaign')),
                ('draw', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='annotation.draw')),
                ('judgment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='annotation.judgment')),
                ('reversal_of', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='annotation.ledgerentry')),
                ('respondent', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='annotation.respondent')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind', 'fee')), fields=('judgment',), name='one_fee_per_judgment'), models.UniqueConstraint(condition=models.Q(('kind', 'draw')), fields=('draw',), name='one_payout_per_draw'), models.UniqueConstraint(condition=models.Q(('kind', 'screen_out')), fields=('respondent',), name='one_screen_out_pay_per_respondent'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['fee', 'draw', 'reversal']), _negated=True), models.Q(('judgment__isnull', False), ('kind', 'fee')), models.Q(('draw__isnull', False), ('kind', 'draw')), models.Q(('kind', 'reversal'), ('reversal_of__isnull', False)), _connector='OR'), name='entry_names_what_it_is_for')],
            },
        ),
        migrations.CreateModel(
            name='PaidEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('entry', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='paid', to='annotation.ledgerentry')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='annotation.payoutline')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='contestant',
            name='campaign',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='imported_contestants', to='annotation.campaign'),
        ),
        migrations.AddConstraint(
            model_name='contestant',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'imported')), fields=('campaign', 'name'), name='one_imported_contestant_per_name'),
        ),
        migrations.AddConstraint(
            model_name='contestant',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('campaign__isnull', True), ('kind', 'language_model'), ('revision__isnull', False)), models.Q(('campaign__isnull', False), ('kind', 'imported'), ('revision__isnull', True)), _connector='OR'), name='contestant_is_model_or_import'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='consent',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.consenttext'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='guidelines',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.guidelinesversion'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='instrument',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.instrument'),
        ),
        migrations.RunSQL(TALLY_SLOTS, UNDO_SLOTS),
        migrations.RunSQL(TALLY_WORK, UNDO_WORK),
        migrations.RunSQL(APART, UNDO_APART),
        *[protect_table(table) for table in PROTECTED],
    ]
