/**
 * Takes the lease of a job for this process, or prolongs it, for `forMs`; false while another process has it. Who has
 * it may still be working when the next one takes over: what is done under a lease must bear being done twice.
 */
export type KeepLease = (job: string, forMs: number) => Promise<boolean>;

/** For a process that shares nothing with others. */
export const leaseOfTheOnlyProcess: KeepLease = async () => true;
