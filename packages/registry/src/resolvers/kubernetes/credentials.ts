/** Port: who we are to the API server. */
export interface ClusterCredentials {
  /** The token now; it may be replaced at any time. Empty: none is sent. Never rejects with anything but a FlotillaError. */
  token(): Promise<string>;
}

/** What a pod is told of its cluster. */
export interface InCluster {
  /** `https://10.96.0.1:443` */
  readonly url: string;
  /** The certificates that the API server's was signed by, as PEM. */
  readonly ca: string;
  readonly namespace: string;
  readonly credentials: ClusterCredentials;
}
