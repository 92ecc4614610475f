// An SMSC is changed, or removed, while the server runs: what waits for it is not lost, what is under way is not doubled.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import test, { after } from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, eventually, lease, operatorSigned, own } from './harness.mjs'
import { network, networksEnd } from './networks.mjs'

const sms = new SmsClient(connectionString)
const from = await lease(new PhoneNumbersClient(connectionString), { areaCode: '833', sms: 'outbound' })
const arguments_ = (args) => [...args, '--data', process.env.CARTERFONE_DATA]
const ctl = (...args) => execFileSync(process.env.CARTERFONE, arguments_(args), { encoding: 'utf8' })
const refusedCtl = (...args) => {
  const { status, stdout, stderr } = spawnSync(process.env.CARTERFONE, arguments_(args), { encoding: 'utf8' })
  assert.notEqual(status, 0, stdout)
  return { status, stderr }
}
const shown = async (name) => (await own('GET', 'smscs')).value.find((s) => s.name === name)
const up = (name) => eventually(`${name} is up`, async () => (await shown(name)).up, 20000)
const send = (to, message = 'x') => sms.send({ from, to: [].concat(to), message }, { enableDeliveryReport: true })
const state = async (id) => (await own('GET', `messages/${id}`)).state
const lead = (name, prefix) => own('POST', 'smsRoutes', { name, carrier: name, prefix })
after(networksEnd)

async function closedPort() {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address()
  await new Promise((done) => closed.close(done))
  return `127.0.0.1:${port}`
}

test('a wrong port is told, and set right: what waited leaves', async () => {
  const far = await network('far')
  ctl('smsc', 'add', 'wrong', '--host', await closedPort(), '--system-id', 'x', '--password', 'x', '--simulated')
  await lead('wrong', '+1206')
  const [{ messageId }] = await send('+12065550170', 'waited')
  const { why, nextAttempt } = await eventually('why it is not up', async () => { const s = await shown('wrong'); return s.nextAttempt && s })
  assert.equal(why, 'Connection refused')
  assert.match(nextAttempt, /^20\d\d-/)
  assert.match(ctl('smsc', 'list'), /wrong +no .*Connection refused/)
  assert.match(spawnSync(process.env.CARTERFONE, arguments_(['doctor']), { encoding: 'utf8' }).stdout, /carrier wrong +down: Connection refused/)
  const said = ctl('smsc', 'set', 'wrong', '--host', far.host, '--rate', '50')
  assert.match(said, /changed SMSC wrong/)
  await up('wrong')
  await eventually('it was delivered', async () => await state(messageId) === 'delivered')
  assert.deepEqual(far.took(), [{ to: '+12065550170', text: 'waited' }])
  const now = await shown('wrong')
  assert.deepEqual([now.host, now.rate, now.why, now.waiting], [far.host, 50, undefined, 0])
  ctl('smsc', 'set', 'wrong', '--unset', 'rate')
  await up('wrong')
  assert.notEqual((await shown('wrong')).rate, 50)
})

test('of two that add the same name at once one is told that it is taken', async () => {
  const host = await closedPort()
  const both = await Promise.allSettled([1, 2].map(() => own('POST', 'smscs', { name: 'twin', host, systemId: 'x', simulated: true })))
  const [no, ...more] = both.filter((b) => b.status === 'rejected').map((b) => b.reason.error.innererror.code)
  assert.deepEqual([no, more], ['CarrierTaken', []])
})

test('a bind that the SMSC refuses says so', async () => {
  await own('PATCH', 'smscs/wrong', { host: (await network('strict', 'password=secret', { password: 'secret' })).host, password: 'other' })
  const s = await eventually('the bind was refused', async () => { const s = await shown('wrong'); return s.bindRefused && s })
  assert.deepEqual([s.why, s.bindRefused], ['it refused the bind', 'ESME_RINVPASWD'])
  await own('PATCH', 'smscs/wrong', { password: 'secret' })
  await up('wrong')
  assert.equal((await shown('wrong')).bindRefused, undefined)
})

test('changed again and again under load: each text is taken once, and delivered', async () => {
  const east = await network('east', 'answerDelay=30ms')
  await lead('east', '+1214')
  const range = Array.from({ length: 600 }, (_, i) => `+1214555${1000 + i}`)
  const ids = []
  for (let at = 0; at < range.length; at += 50) {
    ids.push(...(await send(range.slice(at, at + 50), 'loaded')).map((r) => r.messageId))
    if (at % 100 === 50) await own('PATCH', 'smscs/east', { window: 5 + at / 50 })
  }
  await own('PATCH', 'smscs/east', { window: 20 })
  await own('PATCH', 'smscs/east', { window: 50 })        // one that had no time to begin
  await eventually('all were delivered', async () => {
    const { waiting, underWay } = await shown('east')
    return !waiting && !underWay && (await Promise.all(ids.slice(-5).map(state))).every((s) => s === 'delivered')
  }, 40000)
  assert.deepEqual(await Promise.all(ids.map(state)).then((all) => all.filter((s) => s !== 'delivered')), [])
  assert.deepEqual(east.took().map((t) => t.to).sort(), range)
  assert.equal((await shown('east')).window, 50)
})

test('what cannot be changed, or not so, is refused and changes nothing', async () => {
  const before = await shown('east')
  const bad = [['name', 'west'], ['simulated', false], ['bind', 'receiver'], ['host', 'nowhere'], ['window', 1001], ['systemId', ''], ['systemId', null], ['longAs', 'smoke'],
    ['tlvs', ['hex:']], ['rate', 'fast']]
  for (const [field, value] of bad) {
    const e = await own('PATCH', 'smscs/east', { [field]: value }).then(() => assert.fail(field), (e) => e)
    assert.deepEqual([e.statusCode, e.error.target], [400, field])
    if (['name', 'simulated', 'bind'].includes(field)) assert.equal(e.error.innererror.code, 'SmscNotChangeable')
  }
  const e = await own('PATCH', 'smscs/east', [1]).then(() => assert.fail('a list'), (e) => e)
  assert.equal(e.statusCode, 400)
  assert.deepEqual(await shown('east'), before)
  assert.match(refusedCtl('smsc', 'set', 'east').stderr, /nothing to change/)
  assert.match(refusedCtl('smsc', 'set', 'east', '--unset', 'rat').stderr, /did you mean 'rate'/)
  assert.match(refusedCtl('smsc', 'set', 'east', '--rate', '5', '--unset', 'rate').stderr, /either --rate or --unset/)
  assert.match(refusedCtl('smsc', 'set', 'eats', '--rate', '5').stderr, /no SMSC named 'eats'[\s\S]*Did you mean 'east'/)
  assert.match(refusedCtl('smsc', 'test', 'eats').stderr, /Did you mean 'east'/)
})

test('removed is what nothing hangs on; its name is free then', async () => {
  assert.match(refusedCtl('smsc', 'remove', 'sim').stderr, /simulated network of this server/)
  const removed = (rule) => assert.rejects(own('DELETE', 'smscs/east'), (e) => e.statusCode === 409 && e.error.innererror.code === rule)
  await removed('SmscHasRoute')
  assert.match(refusedCtl('smsc', 'remove', 'east').stderr, /route 'east' leads to 'east'/)
  await own('PATCH', 'smscs/east', { host: await closedPort() })
  const [{ messageId }] = await send('+12145551999', 'left behind')
  await eventually('it waits', async () => (await shown('east')).waiting === 1)
  await removed('SmscBusy')
  assert.match(refusedCtl('smsc', 'remove', 'east').stderr, /1 messages wait for 'east'/)
  await own('POST', `messages/${messageId}/:cancel`, {})
  await own('DELETE', 'smsRoutes/east')
  await own('POST', 'numbers/imports', { id: 'of-east', carrier: 'east' })
  await operatorSigned('POST', '/carterfone/v1/numbers/imports/of-east/rows?line=1', Buffer.from('number,calling,sms\n+12062000001,none,outbound\n'))
  await own('POST', 'numbers/imports/of-east/:complete')
  await removed('SmscHasNumbers')
  assert.match(refusedCtl('smsc', 'remove', 'east').stderr, /1 numbers came with 'east'/)
  ctl('numbers', 'import', '--undo', 'of-east')
  assert.match(ctl('smsc', 'remove', 'east'), /removed SMSC east/)
  assert.equal(await shown('east'), undefined)
  assert.equal((await own('GET', 'smsRoutes')).value.some((r) => r.carrier === 'east'), false)
  const again = await network('again')
  ctl('smsc', 'add', 'east', '--host', again.host, '--system-id', 'x', '--password', 'x', '--simulated')
  await up('east')
  await lead('east', '+1214')
  await send('+12145551998', 'anew')
  await eventually('it was taken', () => again.took().some((t) => t.text === 'anew'))
})
