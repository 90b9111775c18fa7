import type { ApiFailure } from '#lib/api.ts';

declare global {
  namespace App {
    interface PageState {
      reviewing?: boolean;
    }
    interface Error {
      message: string;
      /** What went wrong at the server, where it said so: the trace id to give to support. */
      failure?: ApiFailure;
    }
  }
}

export {};
