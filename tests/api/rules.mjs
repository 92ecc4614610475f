// data/rules.csv as the server has it: what each rule says, with its places filled.
import { readFileSync } from 'node:fs'

/** RFC 4180 fields of one line. */
function fields(line) {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map((m) => (m[1] ?? m[2]).replaceAll('""', '"'))
}

export const rules = new Map(readFileSync(new URL('../../data/rules.csv', import.meta.url), 'utf8').split('\n')
  .filter((line) => line && !line.startsWith('#')).map((line) => {
    const [name, code, text, next] = fields(line)
    return [name, { name, code, text, next }]
  }))

const quoted = (s) => s.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** A text of a rule with its places filled, as a pattern: an argument is the text itself, or a RegExp for what cannot be foreseen. */
export function filled(form, args = []) {
  const pieces = form.split(/\{(\d)\}/).map((piece, i) => {
    if (i % 2 === 0) return quoted(piece)
    const arg = args[Number(piece)] ?? ''
    return arg instanceof RegExp ? arg.source : quoted(String(arg))
  })
  return new RegExp(`^${pieces.join('')}$`)
}
