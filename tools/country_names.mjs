// Prints data/countries/names.csv from the CLDR of this Node's ICU. Run by hand, not by the build:
//   node tools/country_names.mjs DATE <data/e164/country_codes.csv >data/countries/names.csv
import { readFileSync } from 'node:fs'

const languages = ['de', 'es', 'fr', 'it', 'ja', 'ko', 'nl', 'pt', 'sv', 'zh', 'zh-Hant']
const wanted = readFileSync(0, 'utf8').split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.split(',')[1])
const codes = [...new Set([...wanted.filter((code) => /^[A-Z]{2}$/.test(code)), 'CA', 'PR', 'US'])].sort()
const names = languages.map((language) => new Intl.DisplayNames([language], { type: 'region' }))
const field = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)

console.log(`# Names of countries in the languages that accept-language may ask for. code,${languages.join(',')}`)
console.log(`# Source: Unicode CLDR ${process.versions.cldr} (Unicode licence V3) as ICU ${process.versions.icu} has it, by tools/country_names.mjs on ${process.argv[2]}.`)
console.log('# English names are those of data/catalogue/<edition>/countries.csv.')
for (const code of codes) console.log([code, ...names.map((one) => field(one.of(code)))].join(','))
