import type { Meter } from '@flotilla/core';
import { timeout } from '@flotilla/resilience';
import type { FilterDefinition, RouteDefinition } from '../route-document.ts';
import { context } from './context.ts';
import { removeFields, setFields } from './header-fields.ts';
import type { HttpFilter } from './http-filter.ts';
import { mapRequest, mapResponse } from './map-message.ts';
import { pickKey } from './pick-key.ts';
import { retrySafely } from './retry.ts';
import { rewritePath } from './rewrite-path.ts';
import { stripPrefix } from './strip-prefix.ts';

/** The filters of a route in the order of the document: the first one listed meets the request first. */
export function compileFilters(route: RouteDefinition, meter: Meter): readonly HttpFilter[] {
  return route.filters.map((definition) => compileFilter(definition, route, meter));
}

function compileFilter(definition: FilterDefinition, route: RouteDefinition, meter: Meter): HttpFilter {
  switch (definition.kind) {
    case 'stripPrefix':
      return mapRequest(stripPrefix(definition.segments, route.encodedSlash));
    case 'rewritePath':
      return mapRequest(rewritePath(definition.template, route.encodedSlash));
    case 'setRequestHeader':
      return mapRequest(setFields(definition.fields));
    case 'removeRequestHeader':
      return mapRequest(removeFields(definition.names));
    case 'setResponseHeader':
      return mapResponse(setFields(definition.fields));
    case 'removeResponseHeader':
      return mapResponse(removeFields(definition.names));
    case 'retry':
      return retrySafely({ attempts: definition.attempts, methods: definition.methods, target: route.id, meter });
    case 'timeout':
      return timeout({ timeoutMs: definition.timeoutMs });
    case 'pickKey':
      return pickKey(definition);
    case 'context':
      return context(definition);
  }
}
