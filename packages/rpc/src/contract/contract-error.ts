/**
 * A contract that contradicts itself. Thrown by `contract()` at once, where the mistake is. It is not core's error
 * class, so that contracts stay free of dependencies; code and message have the same form.
 */
export class ContractError extends Error {
  override readonly name = 'ContractError';
  readonly code = 'CONTRACT_INVALID';
  /** Each mistake in a sentence that names its operation. */
  readonly mistakes: readonly string[];

  constructor(contract: string, mistakes: readonly string[]) {
    super(`CONTRACT_INVALID: contract "${contract}": ${mistakes.join('; ')}`);
    this.mistakes = mistakes;
  }
}
