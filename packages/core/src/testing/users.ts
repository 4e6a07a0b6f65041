import { Secret } from '../secret.ts';

/** A user of a registry, whose password is that of {@link basicOf}. */
export function aUser<Role extends string>(
  name: string,
  role: Role,
  services?: readonly string[],
): { readonly name: string; readonly role: Role; readonly password: Secret; readonly services?: readonly string[] } {
  return { name, role, password: new Secret(passwordOf(name)), ...(services ? { services } : undefined) };
}

/** The field `authorization` (RFC 7617) of that user. */
export function basicOf(name: string, password: string = passwordOf(name)): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
}

function passwordOf(name: string): string {
  return `password of ${name}`;
}
