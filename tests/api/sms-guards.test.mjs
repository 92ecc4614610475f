// What holds a text back: limits, quiet hours, a time of its own; what is refused at once; what a kill leaves of it.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, key, lease, own, randomUUID, refused, signed } from './harness.mjs'
import { filled, rules } from './rules.mjs'
import { ended, startServer, stopServer } from './server.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const other = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
const ctl = (...args) => execFileSync(process.env.CARTERFONE, [...args, '--data', process.env.CARTERFONE_DATA], { encoding: 'utf8' })
const message = (id) => own('GET', `messages/${id}`)
const story = async (id) => (await own('GET', `explain/${id}`)).lines
const inbox = async (to) => (await own('GET', `handsets/${encodeURIComponent(to)}/inbox`)).value
const advance = (seconds) => own('POST', 'clock/:advance', { seconds })
const productNow = async () => Date.parse((await own('GET', 'clock')).productTime)
const guard = (name, kind, match, more = {}) => own('POST', 'smsGuards', { name, kind, match, ...more })
const noGuards = async () => { for (const { name } of (await own('GET', 'smsGuards')).value) await own('DELETE', `smsGuards/${name}`) }
const send = async (to, text = randomUUID(), sender = from) => (await sms.send({ from: sender, to: [to], message: text }))[0].messageId
const state = (id, wanted) => eventually(`${id} is ${wanted}`, async () => (await message(id)).state === wanted)
const at = (iso) => ({ requestOptions: { customHeaders: { 'Carterfone-Send-At': iso } } })

test('what is over the limit of a sender waits in order, says for what and until when, and leaves then', async (t) => {
  t.after(noGuards)
  await guard('slow', 'sender', from, { count: 1, windowSeconds: 600 })
  const texts = ['one', 'two', 'three'].map((w) => `${w} ${randomUUID()}`), ids = []
  for (const text of texts) ids.push(await send('+12065550101', text))
  const free = await send('+12065550101', 'another sender', other)
  await state(ids[0], 'delivered')
  await state(free, 'delivered')
  const waits = await Promise.all(ids.slice(1).map(async (id) => (await message(id)).waiting))
  assert.deepEqual(waits.map((w) => [w.for, w.guard]), [['sender', 'slow'], ['sender', 'slow']])
  const until = waits.map((w) => Date.parse(w.until))
  assert.equal(until[1] - until[0], 600000)
  assert.equal(waits[0].expectedAt, waits[0].until)
  assert.match((await story(ids[1])).find((l) => l.step === 'waits').text, /^for its sender's limit \(guard slow\) until .* it is expected to leave at /)
  assert.match(ctl('sms', 'show', ids[1]), /WAITS FOR +sender[\s\S]*GUARD +slow[\s\S]*EXPECTED/)
  await advance(601)
  await state(ids[1], 'delivered')
  assert.equal((await message(ids[2])).state, 'queued')
  await advance(601)
  await state(ids[2], 'delivered')
  assert.deepEqual((await inbox('+12065550101')).map((m) => m.text).filter((x) => texts.includes(x)).sort(), [...texts].sort())
  assert.match((await story(ids[2])).find((l) => l.step === 'guard').text, /^the limit of its sender let it go \(guard \S+\)$/)
})

test('a guard says whom it means in any spelling of a type, and when that is nobody so far', async (t) => {
  t.after(noGuards)
  assert.equal((await guard('typed', 'sender', 'geographic', { count: 1 })).match, 'local')
  assert.equal((await guard('typed2', 'optout', 'acme/tollFree', { handling: 'none' })).match, 'acme/toll-free')
  for (const [name, kind, match, more] of [['r', 'resource', 'nosuch', { count: 1 }], ['c', 'carrier', 'nosuch', { count: 1 }], ['q', 'quiet', 'account:nosuch', { from: '21:00', until: '08:00' }]]) {
    assert.match((await guard(name, kind, match, more)).note, /^it means nobody so far: no (resource|carrier|account) has that name/)
  }
  assert.equal((await guard('known', 'resource', 'default', { count: 1000000 })).note, undefined)
  assert.match(ctl('guard', 'set', 'r', '--count', '2'), /note: it means nobody so far/)
})

test('raising or removing a limit lets go what waits for it', async (t) => {
  t.after(noGuards)
  await guard('us', 'prefix', '+1206', { count: 1, windowSeconds: 86400 })
  const ids = [await send('+12065550102'), await send('+12065550103'), await send('+12065550102')]
  assert.equal((await message(ids[2])).waiting.for, 'prefix')
  await own('PATCH', 'smsGuards/us', { count: 2 })
  await state(ids[1], 'delivered')
  assert.equal((await message(ids[2])).state, 'delivered')          // its bucket began anew, with room for two
  const late = await send('+12065550102')
  await state(late, 'queued')
  ctl('guard', 'remove', 'us')
  await state(late, 'delivered')
})

test('a limit that refuses answers 429 with Retry-After, and nothing of the request is accepted', async (t) => {
  t.after(noGuards)
  assert.match(ctl('guard', 'set', 'service-toll-free', '--count', '3', '--on'), /which is on/)
  for (let i = 0; i < 2; i++) await send('+12065550104')
  const body = { from, smsRecipients: [{ to: '+12065550104' }, { to: '+12065550105' }], message: 'too many' }
  const answer = await signed(key, 'POST', '/sms?api-version=2021-03-07', body)
  const { error } = await answer.json()
  assert.equal(answer.status, 429)
  assert.equal(error.innererror.code, 'SmsLimitReached')
  assert.ok(Number(answer.headers.get('retry-after')) > 1)
  await send('+12065550104')                                        // the one that fits
  const four = { ...body, smsRecipients: Array.from({ length: 4 }, (_, i) => ({ to: `+1206555011${i}` })) }
  assert.equal((await (await signed(key, 'POST', '/sms?api-version=2021-03-07', four)).json()).error.innererror.code, 'SmsRequestOverLimit')
  await advance(60)
  await send('+12065550104')
})

test('quiet hours are those of the recipient, and can be one resource\'s', async (t) => {
  t.after(noGuards)
  const local = (zone, ms) => new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit' }).format(ms)
  const now = await productNow(), hour = 3600000
  await guard('night', 'quiet', 'default', { from: local('America/Los_Angeles', now - hour / 2), until: local('America/Los_Angeles', now + hour / 2) })
  const west = await send('+12065550106'), east = await send('+12125550107')
  await state(east, 'delivered')
  const { waiting } = await message(west)
  assert.deepEqual([waiting.for, waiting.guard], ['quietHours', 'night'])
  assert.ok(Math.abs(Date.parse(waiting.until) - now - hour / 2) < 2 * 60000, waiting.until)
  await advance(hour / 1000)
  await state(west, 'delivered')
  await own('PATCH', 'smsGuards/night', { match: 'somebody-else', from: '00:00', until: '15:59' })
  await state(await send('+12065550106'), 'delivered')
})

test('a text leaves at the time it was given, not before; the CLI, cancel and an opt-out meanwhile', async (t) => {
  const hook = await endpoint(t)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/guards` })
  const when = new Date(await productNow() + 2 * 3600000).toISOString()
  const [sent] = await sms.send({ from, to: ['+12065550108'], message: 'at its time' }, {}, at(when))
  const viaCli = JSON.parse(ctl('sms', 'send', '--from', from, '--to', '+12065550109', '--at', when, '--json', 'by the CLI')).value[0].messageId
  const gone = JSON.parse(ctl('sms', 'send', '--from', from, '--to', '+12065550109', '--at', when, '--json', 'taken back')).value[0].messageId
  const out = JSON.parse(ctl('sms', 'send', '--from', from, '--to', '+12125550110', '--at', when, '--json', 'not wanted')).value[0].messageId
  const ids = [viaCli, gone, out]
  for (const id of ids) assert.equal((await message(id)).waiting?.for, 'schedule')
  assert.equal(Date.parse((await message(viaCli)).sendAt), Date.parse(when))
  assert.match(ctl('sms', 'cancel', gone), /cancelled/)
  assert.equal((await message(gone)).state, 'failed')
  assert.equal((await refused(() => own('POST', `messages/${gone}/:cancel`), 409)).innererror.code, 'MessageNotWaiting')
  await own('POST', `handsets/${encodeURIComponent('+12125550110')}/:sms`, { to: from, text: 'STOP' })
  await eventually('the opt-out', async () => (await own('GET', `optouts?from=${encodeURIComponent(from)}`)).value.length === 1)
  await advance(3600)
  assert.equal((await message(viaCli)).state, 'queued')
  await advance(3601)
  await state(viaCli, 'delivered')
  await state(out, 'failed')
  assert.ok(sent.messageId)
  const report = await hook.event('SMSDeliveryReportReceived', (d) => d.messageId === out)
  assert.match(report.event.data.deliveryStatusDetails, /^4007/)
  assert.match((await story(viaCli)).find((l) => l.step === 'schedule').text, /^not before /)
})

test('what waits is money put aside: a spend cap counts it', async (t) => {
  t.after(() => own('POST', 'accounts/default/:spendCap', { usd: null }).catch(() => ctl('account', 'set', 'default', '--spend-cap', 'none')))
  const when = new Date(await productNow() + 3600000).toISOString()
  ctl('account', 'set', 'default', '--spend-cap', (await spent() + 0.012).toFixed(6))
  const id = JSON.parse(ctl('sms', 'send', '--from', from, '--to', '+12065550109', '--at', when, '--json', 'it costs')).value[0].messageId
  assert.equal((await refused(() => sms.send({ from, to: ['+12065550109'], message: 'no more' }), 403)).innererror.code, 'SpendCapReached')
  await own('POST', `messages/${id}/:cancel`)
  await state(await send('+12065550109'), 'delivered')
})
async function spent() {
  const error = await (async () => { ctl('account', 'set', 'default', '--spend-cap', '0.000001'); return refused(() => sms.send({ from, to: ['+12065550109'], message: 'x' }), 403) })()
  return Number(error.message.match(/; ([\d.]+) USD are spent/)[1])
}

test('many texts to one range of numbers are refused, one by one, and say why', async (t) => {
  t.after(noGuards)
  ctl('guard', 'set', 'pumping', '--count', '20', '--per', '10m', '--on')
  const recipients = Array.from({ length: 30 }, (_, i) => `+1312555${String(1000 + i)}`)
  const results = await sms.send({ from, to: [...recipients, '+12065550111'], message: 'code' })
  assert.deepEqual(results.map((r) => r.httpStatusCode), [...Array(20).fill(202), ...Array(10).fill(400), 202])
  const rule = rules.get('PumpingSuspected')
  assert.match(results[25].errorMessage, filled(`${rule.text} ${rule.next}`, ['+1312555', '21', '10m', '20', '5', 'pumping']))
  await advance(601)
  assert.equal((await sms.send({ from, to: [recipients[0]], message: 'code' }))[0].httpStatusCode, 202)
})

test('what is refused as a whole counts neither for the pumping guard nor for limits', async (t) => {
  t.after(noGuards)
  ctl('guard', 'set', 'pumping', '--count', '4', '--per', '10m', '--on')
  await guard('three', 'sender', from, { count: 3, windowSeconds: 600, excess: 'refuse' })
  await guard('two', 'resource', '*', { count: 2, windowSeconds: 600, excess: 'refuse' })
  const to = (n) => Array.from({ length: n }, (_, i) => `+1213555${String(1000 + i)}`)
  const post = async (n) => (await signed(key, 'POST', '/sms?api-version=2021-03-07', { from, message: randomUUID(), smsRecipients: to(n).map((p) => ({ to: p })) })).status
  for (let i = 0; i < 3; i++) assert.equal(await post(3), 429)
  assert.equal(await post(2), 202)
  assert.equal(await post(1), 429)
  await own('DELETE', 'smsGuards/two')
  assert.equal(await post(2), 429)
  assert.equal(await post(1), 202)
  await own('DELETE', 'smsGuards/three')
  const results = await sms.send({ from, to: to(3), message: 'code' })
  assert.deepEqual(results.map((r) => r.httpStatusCode), [202, 400, 400])           // three of the range had gone
})

test('however many ask at once, no more is spent than the cap', async (t) => {
  t.after(() => ctl('account', 'set', 'default', '--spend-cap', 'none'))
  const before1 = await spent()
  ctl('account', 'set', 'default', '--spend-cap', 'none')
  await send('+12065550112', 'capped')
  const one = await spent() - before1
  for (const fits of [1, 7, 20]) {
    const before = await spent()
    ctl('account', 'set', 'default', '--spend-cap', (before + one * fits + one / 2).toFixed(6))
    const answers = await Promise.all(Array.from({ length: 40 }, () => signed(key, 'POST', '/sms?api-version=2021-03-07',
      { from, message: 'capped', smsRecipients: [{ to: '+12065550112' }] })))
    assert.equal(answers.filter((a) => a.status === 202).length, fits)
    assert.equal(answers.filter((a) => a.status === 403).length, 40 - fits)
    assert.ok(await spent() <= before + one * fits + 1e-6)
  }
})

test('a kill loses neither what waits nor what limits have let through', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'carterfone-guards-'))
  let server, ready
  try {
    ;({ server, ready } = await startServer(process.env.CARTERFONE, folder))
    const run = (...args) => execFileSync(process.env.CARTERFONE, [...args, '--data', join(folder, 'data')], { encoding: 'utf8' })
    const json = (...args) => JSON.parse(run(...args, '--json'))
    const found = json('numbers', 'search', '--type', 'toll-free', '--for', 'application', '--sms', 'inbound+outbound')
    run('numbers', 'buy', found.searchId)
    const sender = found.phoneNumbers[0]
    const text = (...more) => json('sms', 'send', '--from', sender, '--to', '+12065550101', ...more, 'x').value[0].messageId
    run('guard', 'add', 'slow', '--kind', 'sender', '--match', '*', '--count', '2', '--per', '1h')
    const later = text('--at', new Date(Date.parse(json('clock', 'show').productTime) + 86400000).toISOString())
    const ids = [text(), text(), text()]
    await eventually('two have left', () => json('sms', 'show', ids[1]).state === 'delivered')
    const before = json('sms', 'show', ids[2]).waiting
    assert.equal(before.for, 'sender')
    run('clock', 'advance', '2s')                                   // levels are written a second later at most
    server.kill('SIGKILL')
    await ended(server);
    rmSync(join(folder, 'ready.json'));
    ({ server, ready } = await startServer(process.env.CARTERFONE, folder))
    assert.ok(ready)
    const behind = json('sms', 'show', ids[2]).waiting
    assert.equal(behind.for, 'sender')
    assert.ok(Math.abs(Date.parse(behind.until) - Date.parse(before.until)) < 5000, `${behind.until} for ${before.until}`)
    assert.equal(json('sms', 'show', later).waiting.for, 'schedule')
    run('clock', 'advance', '31m')
    await eventually('it left', () => json('sms', 'show', ids[2]).state === 'delivered')
    run('clock', 'advance', '24h')
    await eventually('and the other at its time', () => json('sms', 'show', later).state === 'delivered')
    await stopServer(server)
  } finally {
    server?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
})
