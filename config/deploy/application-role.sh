#!/bin/sh
# Runs once, when the database is made: the role the application writes as. The owner's migrate gives it its rights.
set -eu
psql -v ON_ERROR_STOP=1 -v password="$DATABASE_APP_PASSWORD" --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE cardinal_app LOGIN PASSWORD :'password';
GRANT CONNECT ON DATABASE cardinal TO cardinal_app;
SQL
