// What may go to a second carrier, and what never does: by class of refusal, at a lost link, from a sick carrier and back. Carriers are
// simulated SMSCs, processes of their own, and npm's smpp where every recipient is to be answered something else.
import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { carrier } from './foreign-carrier.mjs'
import { connectionString, eventually, lease, own, randomUUID } from './harness.mjs'
import { network, networksEnd } from './networks.mjs'

const sms = new SmsClient(connectionString), numbers = new PhoneNumbersClient(connectionString)
const from = await lease(numbers, { areaCode: '833', sms: 'inbound+outbound' })
after(networksEnd)

const smsc = async (name) => (await own('GET', 'smscs')).value.find((s) => s.name === name)
const routed = async (t, ...carriers) => {
  for (const [i, c] of carriers.entries()) await own('POST', 'smsRoutes', { priority: i + 1, ...(typeof c === 'string' ? { name: `to-${c}`, carrier: c } : c) })
  t.after(async () => { for (const c of carriers) await own('DELETE', `smsRoutes/${typeof c === 'string' ? `to-${c}` : c.name}`) })
}
const send = async (to, message = randomUUID(), by = from) => (await sms.send({ from: by, to: [to], message }))[0].messageId
const sendAll = async (recipients, message) => {
  const ids = []
  for (let i = 0; i < recipients.length; i += 100) for (const r of await sms.send({ from, to: recipients.slice(i, i + 100), message })) ids.push(r.messageId)
  return ids
}
const look = (id) => own('GET', `messages/${id}`)
const state = (id, wanted, within) => eventually(`${id} is ${wanted}`, async () => (await look(id)).state === wanted, within)
const delivered = async (ids, within = 30000) => { for (const id of ids) await state(id, 'delivered', within) }
const phones = (area, n) => Array.from({ length: n }, (_, i) => `+1${area}555${String(1000 + i)}`)

const west = await network('west')

test('a refusal for good is asked of nobody else, one for now of the next; a profile may say otherwise', async (t) => {
  const never = { ESME_RINVMSGLEN: 1, ESME_RINVSRCADR: 0xa, ESME_RINVDSTADR: 0xb, ESME_RSUBMITFAIL: 0x45, ESME_RX_P_APPN: 0x65, ESME_RX_R_APPN: 0x66, ESME_RINVPARLEN: 0xc2,
    ESME_RINVDCS: 0x104, '0x400': 0x400, '0x4ff': 0x4ff }, passing = { ESME_RSYSERR: 8, ESME_RX_T_APPN: 0x64 }
  const answers = {}
  const says = { submit_sm: (pdu, n) => answers[pdu.destination_addr] ? { command_status: answers[pdu.destination_addr] } : { message_id: `m${n}` } }
  const plain = await carrier(t, {}, says), first = (name, priority) => own('PATCH', `smsRoutes/${name}`, { priority })
  await first(plain.name, 1)
  await routed(t, { name: 'spare', carrier: 'west', priority: 2 })
  const at = {}
  for (const [i, [status, number]] of Object.entries({ ...never, ...passing }).entries()) {
    const to = `+1206555${2000 + i}`
    answers[to.slice(1)] = number
    at[status] = { to, id: await send(to, `class ${status}`) }
  }
  for (const status in passing) await state(at[status].id, 'delivered', 20000)
  for (const status in never) await state(at[status].id, 'failed')
  for (const status in never) assert.equal((await look(at[status].id)).carrier, plain.name, status)
  assert.deepEqual(west.took().map((m) => m.text).sort(), Object.keys(passing).map((s) => `class ${s}`).sort())

  const told = await carrier(t, { transientStatus: ['0x400', 'ESME_RSUBMITFAIL'], permanentStatus: ['ESME_RSYSERR'] }, says)
  await first(plain.name, 1000)
  await first(told.name, 1)
  const again = {}
  for (const status of ['0x400', 'ESME_RSUBMITFAIL', 'ESME_RSYSERR']) again[status] = await send(at[status].to, `told ${status}`)
  await delivered([again['0x400'], again.ESME_RSUBMITFAIL])
  await state(again.ESME_RSYSERR, 'failed')
  assert.equal((await look(again.ESME_RSYSERR)).carrier, told.name)
})

test('a carrier cut at every seventh submit_sm, in each manner, is waited for: nothing is lost, no text is at two carriers', async (t) => {
  const cut = await network('cut')
  await routed(t, 'cut', 'west')
  for (const cutWhen of ['answered', 'unanswered', 'untaken']) {
    await cut.behave(`cutEvery=7,cutWhen=${cutWhen}`)
    const texts = Array.from({ length: 20 }, (_, i) => `${cutWhen} ${i}`), ids = []
    for (const text of texts) ids.push(await send('+12065550177', text))
    await delivered(ids)
    const here = cut.took().map((m) => m.text), there = west.took().map((m) => m.text)
    const unanswered = []
    for (const [i, text] of texts.entries()) {
      const times = [here, there].map((all) => all.filter((one) => one === text).length)
      assert.ok(times[0] + times[1] >= 1, `${text} is lost`)
      assert.ok(!(times[0] && times[1]), `${text} is at both`)
      if (times[0] > 1) unanswered.push(i)
    }
    if (cutWhen !== 'unanswered') assert.deepEqual(unanswered, [], cutWhen)
  }
})

test('what was unanswered when the link went is its own carrier\'s when that is back in time', async (t) => {
  const back = await network('back', 'answerDelay=10m')
  await routed(t, 'back', 'west')
  const ids = [await send('+12065550178', 'one way'), await send('+12065550179', 'and another')]
  await eventually('both are under way', () => back.took().length === 2)
  await back.kill()
  await eventually('it is down', async () => !(await smsc('back')).up)
  await own('POST', 'clock/:advance', { seconds: 60 })
  const meanwhile = await send('+12065550180', 'meanwhile')
  await delivered([meanwhile])
  assert.equal((await look(meanwhile)).carrier, 'west')
  await back.start('')
  await delivered(ids)
  await own('POST', 'clock/:advance', { seconds: 200 })
  assert.deepEqual(back.took().map((m) => m.text).sort(), ['and another', 'and another', 'one way', 'one way'])
  assert.ok(!west.took().some((m) => m.text === 'one way' || m.text === 'and another'))
})

test('1,000 recipients are shared by weight, to a few in a hundred, and the rest of the order holds', async (t) => {
  const heavy = await network('heavy'), light = await network('light')
  await routed(t, { name: 'heavy', carrier: 'heavy', priority: 5, weight: 7 }, { name: 'light', carrier: 'light', priority: 5, weight: 3 },
    { name: 'dear', carrier: 'west', priority: 5, weight: 1000, costMicro: 1 }, { name: 'later', carrier: 'west', priority: 6, prefix: '+1312555', weight: 1000 })
  const to = phones('312', 1000), before = west.took().length
  await delivered(await sendAll(to, 'by weight'))
  const n = [heavy, light].map((net) => net.took().filter((m) => m.text === 'by weight').length)
  assert.equal(n[0] + n[1], 1000)
  assert.ok(n[0] >= 640 && n[0] <= 760, `${n[0]} of 1,000 for 7 in 10`)      // four standard deviations
  assert.equal(west.took().length, before)
})

test('a route is for a sender, its beginning or the pool of its number', async (t) => {
  const pooled = await network('pooled'), own8 = await network('eights')
  const other = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
  await own('PATCH', `numbers/inventory/${encodeURIComponent(from)}`, { tags: ['gold', 'fast'] })
  t.after(() => own('PATCH', `numbers/inventory/${encodeURIComponent(from)}`, { tags: [] }))
  await routed(t, { name: 'gold', carrier: 'pooled', pool: 'gold' }, { name: 'eight', carrier: 'eights', sender: '+1844*' }, 'west')
  const ids = [await send('+12065550181', 'of the pool'), await send('+12065550182', 'of the beginning', other)]
  await delivered(ids)
  assert.deepEqual(pooled.took().map((m) => m.text), ['of the pool'])
  assert.deepEqual(own8.took().map((m) => m.text), ['of the beginning'])
  await own('PATCH', `numbers/inventory/${encodeURIComponent(from)}`, { tags: ['fast'] })
  const third = await send('+12065550183', 'of no pool')
  await delivered([third])
  assert.equal((await look(third)).carrier, 'west')
})

for (const status of ['ESME_RTHROTTLED', 'ESME_RMSGQFUL', 'ESME_RSYSERR']) {
  test(`a carrier that answers all with ${status} is left, and is taken again when it is well`, async (t) => {
    const sick = await network('sick')
    await sick.behave(`refusePercent=100,refuseStatus=${status}`)
    await routed(t, 'sick', 'west')
    const ids = await sendAll(phones('415', 60), `ill by ${status}`)
    const busy = eventually('it is busy', async () => (await smsc('sick')).busy, 30000)
    await delivered(ids)
    await busy
    assert.ok(ids.length === west.took().filter((m) => m.text === `ill by ${status}`).length)
    await sick.behave('')
    await eventually('it is up', async () => { const { up, busy } = await smsc('sick'); return up && !busy }, 30000)
    const well = await send('+14155550199', `well after ${status}`)
    await delivered([well])
    assert.equal((await look(well)).carrier, 'sick')
  })
}

test('a carrier that answers nothing on a link that stands is left: what it may have waits for it, the rest goes on', async (t) => {
  const silent = await network('silent', 'answerDelay=10m', { answerWithin: 1, window: 5 })
  await routed(t, 'silent', 'west')
  const ids = await sendAll(phones('818', 20), 'into silence')
  const there = () => west.took().filter((m) => m.text === 'into silence').map((m) => m.to)
  await eventually('it is busy', async () => (await smsc('silent')).busy)
  await eventually('the rest goes by west', () => there().length === 15)
  await silent.behave('')
  await delivered(ids)
  const here = new Set(silent.took().map((m) => m.to))
  assert.equal(here.size, 5)
  assert.ok(there().length === 15 && there().every((to) => !here.has(to)))
  const well = await send('+18185550198', 'spoken to')
  await delivered([well])
  assert.equal((await look(well)).carrier, 'silent')
})

test('an SMSC that throttles inside the second has each pair\'s texts in order', async (t) => {
  const strict = await network('strict')
  await strict.behave('rate=100,burst=5,answerDelay=5ms,answerJitter=20ms')
  await routed(t, 'strict')
  const pairs = phones('503', 4), ids = []
  for (let i = 0; i < 40; i++) for (const r of await sms.send({ from, to: pairs, message: `in order ${i}` })) ids.push(r.messageId)
  await delivered(ids)
  for (const to of pairs) assert.deepEqual(strict.took().filter((m) => m.to === to).map((m) => m.text), Array.from({ length: 40 }, (_, i) => `in order ${i}`))
})

test('how an SMSC writes ids is learned, or told; what was told holds', async (t) => {
  const ways = 'answerId=hex,answerIdDigits=12,receiptId=dec'
  await network('learns', ways)
  await network('told', ways, { receiptId: 'hex-dec' })
  await network('mistold', ways, { receiptId: 'same' })
  await routed(t, { name: 'l', carrier: 'learns', prefix: '+1602' }, { name: 't', carrier: 'told', prefix: '+1480' }, { name: 'm', carrier: 'mistold', prefix: '+1520' })
  const forms = () => Promise.all(['learns', 'told', 'mistold'].map(async (name) => (await smsc(name)).receiptId))
  assert.deepEqual(await forms(), ['auto', 'hex-dec', 'same'])
  const mistold = await sendAll(phones('520', 25), 'as it was told')
  await delivered(await sendAll(phones('480', 1), 'at once'))
  await delivered(await sendAll(phones('602', 25), 'learned'))
  assert.deepEqual(await forms(), ['hex-dec', 'hex-dec', 'same'])
  for (const id of mistold) assert.equal((await look(id)).state, 'submitted')
})
