#!/bin/bash
# Run once by the database's own image, on an empty volume: `stampede` buys and sells and may change rows only; tables
# are changed by MYSQL_USER, which nothing uses but the service `migrate`.
set -euo pipefail
mysql --protocol=socket -uroot -p"$MYSQL_ROOT_PASSWORD" <<SQL
create user if not exists 'stampede'@'%' identified by '${WORK_PASSWORD//\'/\'\'}';
grant select, insert, update, delete on stampede.* to 'stampede'@'%';
SQL
