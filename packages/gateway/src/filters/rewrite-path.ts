import { type Call, FlotillaError } from '@flotilla/core';
import type { HttpRequest } from '@flotilla/http';
import { matchedAttribute } from '../match.ts';
import { expandTemplate, parseTemplate } from '../path-template.ts';
import type { RouteDefinition } from '../route-document.ts';
import { assertCanonical } from './assert-canonical.ts';

/**
 * Replaces the path by a template that is filled from the path as it matched, whatever filters did to it since.
 * @throws RangeError for a text that is no template.
 */
export function rewritePath(
  text: string,
  encodedSlash: RouteDefinition['encodedSlash'],
): (request: HttpRequest, call: Call) => HttpRequest {
  const template = parseTemplate(text);
  if (typeof template === 'string') throw new RangeError(`the template "${text}" ${template}`);
  return (request, call) => {
    const match = call.get(matchedAttribute);
    if (!match) throw new FlotillaError('INTERNAL', 'rewritePath runs outside of a route');
    const expanded = expandTemplate(template, match.pattern, match.path.text);
    return { ...request, path: assertCanonical({ text: expanded }, encodedSlash) };
  };
}
