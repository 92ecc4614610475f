// Watches a class of an SDK: which of its public methods were called, and answered.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The private names of a class: on its prototype like the others, told apart only by the package's own declarations. */
function privates(declarations) {
  const text = readFileSync(fileURLToPath(declarations), 'utf8')
  return new Set([...text.matchAll(/^\s+private (?:readonly )?(\w+);/gm)].map((m) => m[1]))
}

/** A paged listing counts when a page of it came. */
function pages(inner, answered) {
  const noting = (iterator) => ({
    next: async () => { const one = await iterator.next(); answered(); return one },
    [Symbol.asyncIterator]() { return this },
  })
  return { ...noting(inner), byPage: (settings) => noting(inner.byPage(settings)) }
}

/** A poller counts when its operation came to an end. */
function poller(inner, answered) {
  const whole = inner.pollUntilDone
  inner.pollUntilDone = async function (...args) { const result = await whole.apply(inner, args); answered(); return result }
  return inner
}

/** Note every public method of `Class` from now on.
 *  @param declarations  URL of the .d.ts that declares it
 *  @returns  { missing(): the names that never answered } */
export function watch(Class, declarations) {
  const hidden = privates(declarations), seen = new Set()
  const names = Object.getOwnPropertyNames(Class.prototype).filter((n) => n !== 'constructor' && !hidden.has(n))
  for (const name of names) {
    const method = Class.prototype[name], answered = () => { seen.add(name) }
    Class.prototype[name] = function (...args) {
      const result = method.apply(this, args)
      if (result?.[Symbol.asyncIterator]) return pages(result, answered)
      return result.then((value) => { if (value?.pollUntilDone) return poller(value, answered); answered(); return value })
    }
  }
  return { names, missing: () => names.filter((n) => !seen.has(n)) }
}
