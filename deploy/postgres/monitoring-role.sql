-- The role with which Sidelight looks at PostgreSQL 12 or later. As a superuser, once a server:
--
--   psql -d mes -f deploy/postgres/monitoring-role.sql
--
-- It can change nothing and read no rows. Afterwards: give it a password (in psql: \password sidelight), allow it in pg_hba.conf
--
--   hostssl  all  sidelight  10.0.0.0/8  scram-sha-256
--
-- and, in each database, let it see the statistics of the status column of each table of `hot_cold` (pg_monitor does not):
--
--   GRANT SELECT (status) ON public.orders TO sidelight;

CREATE ROLE sidelight LOGIN CONNECTION LIMIT 10;

-- Sessions and queries of others, replication, sizes of all databases.
GRANT pg_monitor TO sidelight;

-- Only where databases are closed to the public:
-- GRANT CONNECT ON DATABASE mes TO sidelight;
