from django.db import migrations

# The second statement sees what was committed until the lock was held: in a volatile function each statement has a
# snapshot of its own, while one statement that locked and looked could miss a row committed between the two.
# https://www.postgresql.org/docs/current/xfunc-volatility.html
LOCK_AND_LOOK = """
CREATE FUNCTION foundation_lock_and_look(lock bigint, wanted_scope text, wanted_key text)
RETURNS TABLE (is_locked boolean, body_hash text, response jsonb) LANGUAGE plpgsql VOLATILE AS $body$
BEGIN
    is_locked := pg_try_advisory_xact_lock(lock);
    SELECT r.body_hash, r.response INTO body_hash, response
        FROM foundation_idempotencyrecord r WHERE r.scope = wanted_scope AND r.key = wanted_key;
    RETURN NEXT;
END
$body$
"""
UNDO = "DROP FUNCTION foundation_lock_and_look(bigint, text, text)"


class Migration(migrations.Migration):
    dependencies = [("foundation", "0001_squashed_0002_key_mark")]

    operations = [migrations.RunSQL(LOCK_AND_LOOK, UNDO)]
