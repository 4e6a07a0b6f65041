export * from '@flotilla/rpc/contract';
