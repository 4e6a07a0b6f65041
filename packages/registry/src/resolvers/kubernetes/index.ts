export {
  type KubernetesDiscoveryOptions,
  kubernetesDiscovery,
  kubernetesDiscoveryDefaults,
} from './kubernetes-discovery.ts';
