import { describeSqlServer } from './mysql/sql-server.contract.ts';

describeSqlServer('MariaDB', 'mariadb', { dialectOnly: true });
