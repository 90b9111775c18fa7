export const SHARED_SERVERS = ['redis', 'redis-cluster', 'database', 'mariadb', 'kafka'] as const;

/** `database` is MySQL where it can be had, else MariaDB. */
export type SharedServerName = (typeof SHARED_SERVERS)[number];
