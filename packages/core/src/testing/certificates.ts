import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate and its key, as files. */
export interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** What {@link Authority.issue} is told. */
export interface Issue {
  readonly name: string;
  /** As OpenSSL writes it: `IP:127.0.0.1,DNS:localhost,URI:spiffe://fleet/orders`. */
  readonly names?: string;
  /** `YYMMDDHHMMSSZ`. Default: from a year ago for three years. */
  readonly from?: string;
  readonly to?: string;
}

/** An authority in a folder of its own, by the real OpenSSL. */
export class Authority {
  readonly folder: string;
  readonly ca: string;
  #count = 0;

  constructor(name = 'Test authority') {
    this.folder = mkdtempSync(join(tmpdir(), 'flotilla-tls-'));
    this.ca = this.#path('ca.pem');
    const subject = ['-subj', `/O=Flotilla/CN=${name}`];
    this.#openssl(['req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3650', ...subject]);
    writeFileSync(this.#path('index.txt'), '');
    writeFileSync(this.#path('serial'), '1000\n');
    writeFileSync(
      this.#path('ca.cnf'),
      [
        '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ncertificate=ca.pem',
        'private_key=ca.key\ndefault_md=sha256\npolicy=p\ncopy_extensions=copy\nunique_subject=no',
        '[p]\norganizationName=optional\ncommonName=supplied\n',
      ].join('\n'),
    );
  }

  issue({ name, names, from = stamp(-365), to = stamp(730) }: Issue): Issued {
    const stem = `issued-${this.#count++}`;
    const extension = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
    const subject = ['-subj', `/O=Flotilla/CN=${name}`];
    this.#openssl(['req', ...newKey, '-keyout', `${stem}.key`, '-out', `${stem}.csr`, ...subject, ...extension]);
    const times = ['-startdate', from, '-enddate', to];
    this.#openssl([
      'ca',
      '-batch',
      '-config',
      'ca.cnf',
      '-in',
      `${stem}.csr`,
      '-out',
      `${stem}.pem`,
      '-notext',
      ...times,
    ]);
    return { cert: this.#path(`${stem}.pem`), key: this.#path(`${stem}.key`) };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }

  #path(name: string): string {
    return join(this.folder, name);
  }

  #openssl(args: readonly string[]): void {
    try {
      execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] });
    } catch (cause) {
      if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ENOENT') throw cause;
      throw new Error('certificates for tests are made by OpenSSL, which is not there: install "openssl"', { cause });
    }
  }
}

const newKey = ['-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** So many days from now. */
export function stamp(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000).toISOString();
  return `${at.slice(2, 19).replaceAll(/[-T:]/g, '')}Z`;
}
