/** One setting that can't be used. `given` is what was found, or a description of it where it is a secret. */
export interface SettingProblem {
  readonly name: string;
  readonly given: string;
  readonly allowed: string;
}

/**
 * The process can't run as it was set up, and whoever set it up can mend that. Names every bad setting at once,
 * so that nobody has to start the server once per mistake.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[], options?: ErrorOptions) {
    const lines = problems.map(({ name, given, allowed }) => `  ${name}: ${given}; allowed: ${allowed}`);
    super(`${problems.length === 1 ? 'A setting' : 'Settings'} can't be used:\n${lines.join('\n')}`, options);
    this.problems = problems;
  }
}
