// Telephones that were told how to behave, called by the official SDK: what each behaviour is to an application.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { CallAutomationClient } from '@azure/communication-call-automation'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { connectionString, endpoint, eventually, folder, lease, operatorSigned, own, ready } from './harness.mjs'
import { likeness, samplesOf, sweep, wavOf } from './wav.mjs'

const client = new CallAutomationClient(connectionString)
const numbers = new PhoneNumbersClient(connectionString)
const speech = sweep(2), speechFile = join(folder, 'speech.wav')
writeFileSync(speechFile, wavOf(speech))

// two calls at once are a number's limit
const callers = []
for (const areaCode of ['206', '425']) {
  const number = await lease(numbers, { type: 'geographic', areaCode, calling: 'inbound+outbound' })
  callers.push(number, number)
}
const waiting = []
const takeCaller = () => callers.length ? callers.pop() : new Promise((go) => waiting.push(go))
const giveCaller = (number) => waiting.length ? waiting.shift()(number) : callers.push(number)

const path = (number) => `handsets/${encodeURIComponent(number)}`
const tell = (number, ...behaviour) => own('POST', `${path(number)}/:set`, { behaviour })
const handset = (number, verb, body = {}) => own('POST', `${path(number)}/:${verb}`, body)
const seen = async (number) => (await own('GET', 'handsets')).value.find((h) => h.number === number) ?? {}
const lastCall = (number) => eventually(`the last call of ${number}`, async () => (await seen(number)).lastCall?.packets && (await seen(number)).lastCall)
let next = 1000
const fresh = () => `+1360555${next++}`

/** Calls, and hands {made, hook, media, event(kind), hangUp()} on; the call is over when this returns. */
async function calling(t, to, during, files = {}) {
  const hook = await endpoint(t, files)
  const from = await takeCaller()
  try {
    const made = await client.createCall({ targetParticipant: { phoneNumber: to }, sourceCallIdNumber: { phoneNumber: from } }, `${hook.url}/callback`)
    const event = async (kind, wanted, within = 15000) => (await hook.event(kind, wanted, within)).event.data
    const hangUp = async () => { await made.callConnection.hangUp(true); await event('CallDisconnected') }
    await during({ made, from, media: made.callConnection.getCallMedia(), event, hangUp, url: hook.url })
  } finally {
    giveCaller(from)
  }
}

const dtmf = (to, most, more = {}) => [{ phoneNumber: to }, { kind: 'callMediaRecognizeDtmfOptions', maxTonesToCollect: most, initialSilenceTimeoutInSeconds: 10,
  interToneTimeoutInSeconds: 5, ...more }]
const words = { zero: 0, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, pound: '#', asterisk: '*' }

const cases = {
  'refuses with a status and cause of its own': async (t, to) => {
    await tell(to, 'refuse=480/20')
    await calling(t, to, async ({ event }) => {
      const { resultInformation } = await event('CreateCallFailed')
      assert.deepEqual([resultInformation.code, resultInformation.subCode], [480, 560480])
      assert.match(JSON.stringify(resultInformation), /20/)
    })
  },
  'rings before it refuses': async (t, to) => {
    await tell(to, 'refuse=603', 'refuse-after=1500ms')
    const began = Date.now()
    await calling(t, to, async ({ event }) => assert.equal((await event('CreateCallFailed')).resultInformation.code, 603))
    assert.ok(Date.now() - began >= 1400)
  },
  'never answers': async (t, to) => {
    await tell(to, 'answer-after=never')
    await calling(t, to, async ({ made, event }) => {
      await eventually('it rings', async () => (await seen(to)).state === 'ringing')
      await made.callConnection.hangUp(true)
      assert.equal((await event('CreateCallFailed')).resultInformation.code, 487)
    })
  },
  'answers late': async (t, to) => {
    await tell(to, 'answer-after=3s')
    const began = Date.now()
    await calling(t, to, async ({ event, hangUp }) => { await event('CallConnected'); assert.ok(Date.now() - began >= 2900); await hangUp() })
  },
  'is heard early, then answers and says a file': async (t, to) => {
    await tell(to, `early-media=${speechFile}`, 'answer-after=1s', `say=${speechFile}`)
    await calling(t, to, async ({ event, hangUp }) => { await event('CallConnected'); await hangUp() })
    assert.ok((await lastCall(to)).packets.sent > 40)               // a second of early media, at least
  },
  'is heard early, then is busy': async (t, to) => {
    await tell(to, 'early-media=busy', 'refuse=486', 'refuse-after=1s')
    await calling(t, to, async ({ event }) => assert.equal((await event('CreateCallFailed')).resultInformation.code, 486))
    assert.ok((await lastCall(to)).packets.sent > 30)
  },
  'drops the call': async (t, to) => {
    await tell(to, 'answer-after=0', 'drop-after=1s')
    await calling(t, to, async ({ event }) => {
      await event('CallConnected')
      const { resultInformation } = await event('CallDisconnected')
      assert.deepEqual([resultInformation.code, resultInformation.subCode], [0, 560000])
    })
  },
  'sends no sound': async (t, to) => {
    await tell(to, 'answer-after=0', 'one-way=receive', 'press=1')
    await calling(t, to, async ({ event, media, hangUp }) => {
      await event('CallConnected')
      await media.startRecognizing(...dtmf(to, 1, { initialSilenceTimeoutInSeconds: 1 }))
      assert.equal((await event('RecognizeFailed')).resultInformation.subCode, 8510)
      await media.sendDtmfTones(['five'], { phoneNumber: to })
      await event('SendDtmfTonesCompleted')
      await eventually('the key', async () => (await seen(to)).call?.keysHeard === '5')
      await hangUp()
    })
    const { packets } = await lastCall(to)
    assert.equal(packets.sent, 0)
    assert.ok(packets.received > 40)
  },
  'hears nothing': async (t, to) => {
    await tell(to, 'answer-after=0', 'one-way=send')
    await calling(t, to, async ({ event, media, hangUp }) => {
      await event('CallConnected')
      await media.sendDtmfTones(['five'], { phoneNumber: to })
      await event('SendDtmfTonesCompleted')
      await media.startRecognizing(...dtmf(to, 1))
      await handset(to, 'press', { digits: '9' })
      assert.deepEqual((await event('RecognizeCompleted')).dtmfResult.tones, ['nine'])
      await hangUp()
    })
    const last = await lastCall(to)
    assert.equal(last.keysHeard, undefined)
    assert.ok(last.packets.sent > 10 && last.packets.received <= 5, JSON.stringify(last.packets))
  },
  'repeats the keys it hears': async (t, to) => {
    await tell(to, 'answer-after=0', 'echo=dtmf')
    await calling(t, to, async ({ event, media, hangUp }) => {
      await event('CallConnected')
      await media.startContinuousDtmfRecognition({ phoneNumber: to })
      await media.sendDtmfTones(['four', 'two', 'pound'], { phoneNumber: to })
      for (const tone of ['four', 'two', 'pound']) await event('ContinuousDtmfRecognitionToneReceived', (d) => d.tone === tone)
      await hangUp()
    })
    assert.equal((await seen(to)).lastCall.keysHeard, '42#')
  },
  'presses keys when it has heard something, and records': async (t, to) => {
    const record = join(folder, `heard-${to.slice(1)}.wav`)
    await tell(to, 'answer-after=0', 'press=73', 'press-after=heard', `record=${record}`)
    await calling(t, to, async ({ event, media, hangUp, url }) => {
      await event('CallConnected')
      await media.startContinuousDtmfRecognition({ phoneNumber: to })
      await media.playToAll([{ kind: 'fileSource', url: `${url}/prompt.wav` }], { operationContext: 'p' })
      for (const tone of ['seven', 'three']) await event('ContinuousDtmfRecognitionToneReceived', (d) => d.tone === tone)
      await event('PlayCompleted', (d) => d.operationContext === 'p')
      await hangUp()
    }, { '/prompt.wav': wavOf(speech) })
    await eventually('the recording', () => existsSync(record) && readFileSync(record).length > 44)
    const heard = likeness(samplesOf(readFileSync(record)), speech)
    assert.ok(heard.value >= 0.9, `correlation ${heard.value}`)
  },
  'has a bad line': async (t, to) => {
    await tell(to, 'answer-after=0', 'loss=20%', 'jitter=40ms', 'delay=100ms')
    await calling(t, to, async ({ event, hangUp }) => { await event('CallConnected'); await new Promise((go) => setTimeout(go, 1500)); await hangUp() })
    const { packets } = await lastCall(to)
    assert.ok(packets.sent > 20 && packets.sent < 0.95 * packets.received, JSON.stringify(packets))
  },
  'is refused by hand with a status of its own': async (t, to) => {
    await handset(to, 'attach')
    await calling(t, to, async ({ event }) => {
      await eventually('it rings', async () => (await seen(to)).state === 'ringing')
      await handset(to, 'reject', { status: 488 })
      assert.equal((await event('CreateCallFailed')).resultInformation.code, 488)
    })
    await handset(to, 'detach')
    assert.equal((await seen(to)).attached, false)
  },
  'says and records when told in the middle of a call': async (t, to) => {
    const record = join(folder, `middle-${to.slice(1)}.wav`)
    await tell(to, 'answer-after=0', 'echo=audio')
    await calling(t, to, async ({ event, media, hangUp, url }) => {
      await event('CallConnected')
      await eventually('it talks', async () => (await seen(to)).state === 'connected')
      await handset(to, 'record', { record })
      await handset(to, 'say', { sound: speechFile })
      await media.playToAll([{ kind: 'fileSource', url: `${url}/prompt.wav` }], { operationContext: 'p' })
      await event('PlayCompleted', (d) => d.operationContext === 'p')
      await hangUp()
    }, { '/prompt.wav': wavOf(speech) })
    await eventually('the recording', () => existsSync(record) && readFileSync(record).length > 44)
    assert.ok(likeness(samplesOf(readFileSync(record)), speech).value >= 0.9)
  },
}

test('a telephone that', { concurrency: 4 }, async (t) => {
  await Promise.all(Object.entries(cases).map(([what, run]) => t.test(what, (tt) => run(tt, fresh()))))
})

const struck = {
  'busy': async (t, to, { event }) => assert.equal((await event('CreateCallFailed')).resultInformation.code, 486),
  'reject=404': async (t, to, { event }) => {
    const { resultInformation } = await event('CreateCallFailed')
    assert.equal(resultInformation.code, 404)
  },
  'no-answer': async (t, to, { made, event }) => {
    await eventually('it rings', async () => (await seen(to)).state === 'ringing')
    await new Promise((go) => setTimeout(go, 500))
    assert.equal((await seen(to)).state, 'ringing')
    await made.callConnection.hangUp(true)
    await event('CreateCallFailed')
  },
  'delay=2s': async (t, to, { event, hangUp }, began) => { await event('CallConnected'); assert.ok(Date.now() - began >= 1900); await hangUp() },
  'one-way': async (t, to, { event, hangUp }) => {
    await event('CallConnected')
    await new Promise((go) => setTimeout(go, 300))
    await hangUp()
    assert.equal((await lastCall(to)).packets.sent, 0)
  },
  'bad-audio=50': async (t, to, { event, hangUp }) => {
    await event('CallConnected')
    await new Promise((go) => setTimeout(go, 1500))
    await hangUp()
    const { packets } = await lastCall(to)
    assert.ok(packets.sent && packets.sent < 0.8 * packets.received, JSON.stringify(packets))
  },
}

test('a fault of the phone network', { concurrency: 4 }, async (t) => {
  await Promise.all(Object.entries(struck).map(([kind, run]) => t.test(kind, async (tt) => {
    const to = fresh()
    await tell(to, 'answer-after=0')
    const { id } = await own('POST', 'faults', { fault: `phone ${kind} number=${to} count=1` })
    const began = Date.now()
    await calling(tt, to, (call) => run(tt, to, call, began))
    assert.equal((await own('GET', 'faults')).value.find((f) => f.id === id).hits, 1)
  })))
})

test('911 answers, records and is listed; nothing limits calls to it', async (t) => {
  const from = await takeCaller()
  giveCaller(from)
  await calling(t, '911', async ({ event, media, hangUp, url }) => {
    await event('CallConnected')
    await media.playToAll([{ kind: 'fileSource', url: `${url}/prompt.wav` }], { operationContext: 'p' })
    await event('PlayCompleted', (d) => d.operationContext === 'p')
    await hangUp()
  }, { '/prompt.wav': wavOf(speech) })
  const desk = await eventually('the recording', async () => (await seen('911')).recording && seen('911'))
  assert.match(desk.lastCall.peer, /^\+1(206|425)/)
  assert.ok(likeness(samplesOf(readFileSync(desk.recording)), speech).value >= 0.9)
})

test('933 reads the caller\'s number back', async (t) => {
  await calling(t, '933', async ({ event, media, from, hangUp }) => {
    await event('CallConnected')
    await media.startRecognizing(...dtmf('933', 12))
    const { dtmfResult } = await event('RecognizeCompleted', undefined, 25000)
    assert.equal(dtmfResult.tones.map((w) => words[w]).join(''), `${from.slice(1)}#`)
    await hangUp()
  })
})

test('behaviour is listed, changed key by key and taken back', async () => {
  const to = fresh()
  assert.deepEqual((await tell(to, 'answer-after=2s', 'echo=dtmf')).behaviour, ['answer-after=2s', 'echo=dtmf'])
  assert.deepEqual((await tell(to, 'answer-after=3s', 'echo=')).behaviour, ['answer-after=3s'])
  assert.deepEqual((await seen(to)).behaviour, ['answer-after=3s'])
  await handset(to, 'clear')
  assert.equal((await seen(to)).behaviour, undefined)
  await tell('*', 'answer-after=0')
  const { value, behaviour } = await own('GET', 'sim/handsets')
  assert.ok(value.some((row) => row.key === 'early-media' && row.words))
  assert.deepEqual(behaviour, ['answer-after=0'])
  await tell(to, 'echo=audio')
  await own('POST', 'handsets/:clear', {})
  assert.deepEqual((await own('GET', 'sim/handsets')).behaviour, [])
  assert.equal((await seen(to)).behaviour, undefined)
})

test('behaviour that cannot be is refused with a word', async () => {
  for (const [behaviour, word] of [[['anser-after=2s'], /did you mean 'answer-after'/], [['refuse=200'], /400 to 699/], [['say=/no/such.wav'], /cannot be read/],
    [[], /list of 1 to/], ['answer-after=2s', /list of 1 to/], [[7], /list of 1 to/]]) {
    const e = await own('POST', `${path(fresh())}/:set`, { behaviour }).then(() => assert.fail('taken'), (e) => e)
    assert.equal(e.statusCode, 400, e.message)
    assert.match(e.message, word)
  }
  const idle = fresh()
  for (const [verb, body, status] of [['reject', {}, 409], ['reject', { status: 200 }, 400], ['say', { sound: 'tone' }, 409], ['say', { sound: 'hum' }, 400],
    ['record', { record: 'here.wav' }, 400]]) {
    const e = await handset(idle, verb, body).then(() => assert.fail(`${verb} was taken`), (e) => e)
    assert.equal(e.statusCode, status, `${verb}: ${e.message}`)
  }
})

test('a handset calls in over TCP when it was told to', async (t) => {
  const events = await endpoint(t), from = fresh(), to = await takeCaller()
  giveCaller(to)
  await own('POST', 'eventSubscriptions', { endpointUrl: `${events.url}/events`, eventTypes: ['Microsoft.Communication.IncomingCall'] })
  await tell(from, 'transport=tcp')
  await handset(from, 'dial', { to })
  const incoming = (await events.event('IncomingCall', (d) => d.from.phoneNumber.value === from)).event.data
  const port = Number(ready.sip.split(':').pop()).toString(16).toUpperCase().padStart(4, '0')
  assert.match(readFileSync('/proc/net/tcp', 'utf8'), new RegExp(` 0100007F:[0-9A-F]{4} 0100007F:${port} 01 `), 'no TCP connection to the SIP port')
  await client.rejectCall(incoming.incomingCallContext, { callRejectReason: 'busy' })
  assert.equal((await eventually('the end', async () => (await seen(from)).lastCall)).sipStatus, 486)
})

test('what a handset may say beside its call', async () => {
  const from = '+12065550127'
  for (const [headers, words] of [[{ Via: 'x' }, /'Via' is no header for a call/], [{ 'User-To-User': 'a\r\nVia: x' }, /no header for a call/], [{ 'User-To-User': 7 }, /no header/],
    ['x', /must be an object/], [{ 'X-MS-Custom-a': 'x'.repeat(1024) }, /1023 octets at most/], [{ 'X-MS-Custom-a': '1', 'x-ms-custom-A': '2' }, /twice/]]) {
    const answer = await operatorSigned('POST', `/carterfone/v1/handsets/${encodeURIComponent(from)}/:dial`, { to: '+18005550100', headers })
    assert.equal(answer.status, 400)
    assert.match((await answer.json()).error.message, words)
  }
})
