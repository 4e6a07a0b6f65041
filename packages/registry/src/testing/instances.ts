export { anInstance } from '@flotilla/core/testing';
