// See test_crash_import.sh. ROUNDS rounds (default 2) of ROWS rows (default 40,000).
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomInt, randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask, keyOf, kill, newFolder, operatorKey, program, serve } from './server.mjs'

const rounds = Number(process.env.ROUNDS ?? 2), rows = Number(process.env.ROWS ?? 40000), PIECE = 8192
const folder = newFolder(), header = 'number,carrier,type,capabilities,cost,tags', columns = encodeURIComponent(header)
let server = await serve(folder, 8)
const operator = operatorKey(folder), key = keyOf(server.ready.connectionString)
const own = (method, path, body) => ask(server, operator, method, `/carterfone/v1/numbers/${path}`, body)
const again = async () => { await kill(server); server = await serve(folder, 8) }

/** The list of a round: local numbers of one area code, none of them of the simulator's own. Good for 32 rounds of 100,000 rows. */
const numberOf = (round, i) => `+1${[206, 212, 303, 312, 404, 415, 503, 602][round % 8]}${(2 + Math.floor(round / 8)) * 1000000 + i}`
const lineOf = (round, i) => `${numberOf(round, i)},sim,local,calling:both,0.85,block-${round}`
const lines = (round) => [header, ...Array.from({ length: rows }, (_, i) => lineOf(round, i))]
const wanted = (round) => Array.from({ length: rows }, (_, i) => numberOf(round, i))

/** The inventory must have exactly these numbers of an import. */
async function has(id, list) {
  const found = []
  for (let next = `/carterfone/v1/numbers/export?import=${id}`; next;) {
    const page = await ask(server, operator, 'GET', next)
    assert.equal(page.status, 200, page.text.slice(0, 300))
    found.push(...page.text.split('\n').filter((line) => line.startsWith('+')).map((line) => line.slice(0, line.indexOf(','))))
    next = page.headers.link?.match(/<(.*)>; rel="next"/)?.[1]
  }
  const there = new Set(found), missing = list.filter((n) => !there.has(n))
  assert.equal(found.length, there.size, 'a number is listed twice')
  assert.equal(missing.length, 0, `${missing.length} are missing, such as ${missing[0]}`)
  assert.equal(found.length, list.length, `${found.length - list.length} too many`)
}

const begin = (id) => own('POST', 'imports', { id, file: `${id}.csv`, carrier: 'sim' })
const show = async (id) => (await own('GET', `imports/${id}`)).json
const piece = (id, list, line) => own('POST', `imports/${id}/rows?line=${line}${line > 1 ? `&columns=${columns}` : ''}`, list.slice(line - 1, line - 1 + PIECE).join('\n') + '\n')

/** What a browse shows of the list. */
async function shown(round) {
  const answer = await ask(server, key, 'POST', '/availablePhoneNumbers/countries/US/:browse?api-version=2025-06-01',
    { phoneNumberType: 'geographic', assignmentType: 'person', phoneNumberPrefixes: [0, 1, 2].map((i) => numberOf(round, i).slice(1)) })
  assert.equal(answer.status, 200, answer.text)
  return answer.json.phoneNumbers.length
}
/** Nobody can have a number of an import that is not complete. */
const isHidden = async (round) => assert.equal(await shown(round), 0)

/** Buy one number of it, whatever happens to the server; then the import cannot be taken away any more. */
async function leased(id, round) {
  const number = numberOf(round, randomInt(rows)), reservation = `/availablePhoneNumbers/reservations/${randomUUID()}`
  const client = (method, path, body) => ask(server, key, method, `${path}?api-version=2025-06-01`, body)
  const made = await client('PATCH', reservation, { phoneNumbers: { [number.slice(1)]: { countryCode: 'US', phoneNumberType: 'geographic',
    assignmentType: 'application', capabilities: { calling: 'inbound+outbound', sms: 'none' } } } })
  assert.equal(made.status, 201, made.text)
  const purchase = client('POST', `${reservation}/:purchase`)
  await sleep(randomInt(5))
  await again()
  await purchase
  assert.equal((await client('POST', `${reservation}/:purchase`)).status, 202)
  assert.equal((await client('GET', `/phoneNumbers/${number}`)).status, 200)
  const refused = await own('POST', `imports/${id}/:rollBack`)
  assert.deepEqual([refused.status, refused.json.error?.innererror?.code], [409, 'ImportInUse'], refused.text)
  assert.equal((await show(id)).inUse, 1)
}

/** Send pieces until the list is at its end, or, having sent `until` of them, with one more on its way when the server dies.
 *  @returns the line that was confirmed last */
async function send(id, list, from, until = Infinity) {
  let line = from
  for (let sent = 0; line <= list.length; sent++) {
    if (sent === until) {
      const last = piece(id, list, line)
      await sleep(randomInt(12))
      await again()
      const answer = await last
      return answer?.status === 200 ? answer.json.nextLine : line
    }
    const answer = await piece(id, list, line)
    assert.equal(answer.status, 200, answer.text)
    line = answer.json.nextLine
  }
  return line
}

/** Ask for something, and kill the server while it answers; it must be granted when asked again. */
async function insist(method, path) {
  const first = own(method, path)
  await sleep(randomInt(8))
  await again()
  await first
  const answer = await own(method, path)
  assert.equal(answer.status, 200, answer.text)
  return answer.json
}

/** Cut off in the middle: what is there is whole pieces, and it goes on behind them. */
async function cutOff(id, round) {
  const list = lines(round), pieces = Math.ceil(list.length / PIECE)
  assert.equal((await begin(id)).status, 200)
  const confirmed = await send(id, list, 1, randomInt(1, pieces))
  const now = await show(id)
  assert.equal(now.state, 'open')
  assert.ok([confirmed, Math.min(confirmed + PIECE, list.length + 1)].includes(now.nextLine), `confirmed up to line ${confirmed}, goes on at ${now.nextLine}`)
  assert.equal(now.rows, now.nextLine - 2)             // the header is no row
  assert.equal(now.badRows, 0)
  await isHidden(round)
  assert.equal((await begin(id)).json.nextLine, now.nextLine)
  const twice = await piece(id, list, 1)
  assert.deepEqual([twice.status, twice.json.error.innererror.code], [409, 'ImportNotAtLine'])
  return { list, now }
}

async function completed(id, round) {
  const { list, now } = await cutOff(id, round)
  assert.equal(await send(id, list, now.nextLine), list.length + 1)
  await again()                                         // between the last piece and the end
  await isHidden(round)
  assert.equal((await show(id)).state, 'open')
  const done = await insist('POST', `imports/${id}/:complete`)
  assert.deepEqual([done.state, done.rows, done.numbers], ['complete', rows, rows])
  await has(id, wanted(round))
  assert.ok(await shown(round) > 0)
  await leased(id, round)
  await has(id, wanted(round))
  return now.nextLine
}

async function rolledBack(id, round) {
  const { list, now } = await cutOff(id, round)
  if (randomInt(2)) await send(id, list, now.nextLine)
  const gone = await insist('POST', `imports/${id}/:rollBack`)
  assert.equal(gone.state, 'rolledBack')
  assert.equal(gone.numbers, 0)
  await again()
  await has(id, [])
  await isHidden(round)
}

/** The command, killed from below: the second run goes on. */
async function byCommand(round) {
  const file = join(folder, `list-${round}.csv`)
  writeFileSync(file, lines(round).join('\n') + '\n')
  const run = (...more) => {
    const child = spawn(program, ['numbers', 'import', file, ...more, '--data', join(folder, 'data')], { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (text) => { out += text })
    return new Promise((done) => child.once('exit', (code) => done({ code, out })))
  }
  const first = run('--carrier', 'sim')
  await sleep(randomInt(10, 70))
  await kill(server)
  const { code, out } = await first, id = out.match(/--resume (\S+)/)?.[1]
  server = await serve(folder, 8)
  if (code !== 0) {                                     // it says how to go on, unless nothing was begun
    const second = await (id ? run('--resume', id) : run('--carrier', 'sim'))
    assert.equal(second.code, 0, second.out)
  }
  const { value } = (await own('GET', 'imports')).json
  const there = value.filter((i) => i.file.startsWith(`list-${round}.csv`) && i.state === 'complete')
  assert.equal(there.length, 1, JSON.stringify(value))
  await has(there[0].id, wanted(round))
  return code
}

for (let round = 0; round < rounds; round++) {
  const at = await completed(`kept-${round}`, 2 * round)
  await rolledBack(`gone-${round}`, 2 * round + 1)
  const code = await byCommand(2 * round + 1)           // the same rows: nothing was left of them
  console.log(`# round ${round + 1}: ${rows} rows, went on at line ${at}; rolled back; brought in by the command, whose first run ended with ${code}`)
}
await kill(server)
rmSync(folder, { recursive: true, force: true })
console.log('ok - every row is there once, and nothing of what was rolled back')
