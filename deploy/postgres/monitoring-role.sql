-- The role with which Sidelight looks at PostgreSQL. Run it as a superuser, once a server:
--   psql -d mes -f deploy/postgres/monitoring-role.sql
-- then give the role a password (\password sidelight) and allow it in pg_hba.conf.
CREATE ROLE sidelight LOGIN CONNECTION LIMIT 10;
GRANT pg_monitor TO sidelight;
