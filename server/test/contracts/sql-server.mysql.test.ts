import { describeSqlServer } from './mysql/sql-server.contract.ts';

/** MariaDB where no MySQL can be had; the run says at its beginning which it is. */
describeSqlServer('MySQL', 'database');
