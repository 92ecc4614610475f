// The test of malformed input: see test_malformed.sh. One server; each part attacks one edge, then asks whether it lives.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { createHash, createHmac, randomUUID } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const program = process.env.CARTERFONE ?? 'build/carterfone'
const folder = mkdtempSync(join(process.env.TMPDIR ?? tmpdir(), 'malformed-'))
const any = '127.0.0.1:0', readyFile = join(folder, 'ready.json'), data = join(folder, 'data')
const server = spawn(program, ['serve', '--data', data, '--listen', any, '--sip', any, '--smpp', any, '--sim-sip', any, '--sim-smpp', any,
  '--rtp-ports', '0', '--ready-file', readyFile, '--quiet'], { stdio: ['ignore', 'ignore', 'pipe'] })
let said = '', ended = null
server.stderr.on('data', (piece) => { said += piece })
const gone = new Promise((resolve) => server.once('exit', (code, signal) => resolve(ended = { code, signal })))
process.on('exit', (code) => {
  if (code) console.log(said.includes('Sanitizer') ? said.slice(said.indexOf('====')).slice(0, 8000) : said.slice(-2000))
  if (!ended) server.kill('SIGKILL')
})
for (let waited = 0; !existsSync(readyFile); waited += 20) {
  assert.ok(waited < 30000 && !ended, `no start: ${said}`)
  await sleep(20)
}
const ready = JSON.parse(readFileSync(readyFile, 'utf8'))
const port = Number(ready.api.match(/\d+$/)[0])
const key = Buffer.from(ready.connectionString.match(/accesskey=(.*)/)[1], 'base64')
const operator = Buffer.from(readFileSync(join(data, 'operator.key'), 'utf8').trim(), 'base64')
const agent = new Agent({ keepAlive: true, maxSockets: 100 })

function headers(method, target, text, by = key) {
  const date = new Date().toUTCString(), hash = createHash('sha256').update(text).digest('base64'), host = `127.0.0.1:${port}`
  const signature = createHmac('sha256', by).update(`${method}\n${target}\n${date};${host};${hash}`).digest('base64')
  return { host, 'x-ms-date': date, 'x-ms-content-sha256': hash, 'content-type': 'application/json',
    'content-length': Buffer.byteLength(text), authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}` }
}
function ask(method, target, body) {
  const text = body === undefined ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body)
  return new Promise((done, failed) => {
    const rq = request({ host: '127.0.0.1', port, method, path: target, agent, timeout: 15000,
      headers: headers(method, target, text, target.startsWith('/carterfone') ? operator : key) }, (answer) => {
      let got = ''
      answer.on('data', (piece) => { got += piece })
      answer.on('end', () => done({ status: answer.statusCode, json: got && JSON.parse(got), headers: answer.headers }))
    })
    rq.on('timeout', () => rq.destroy(new Error(`${method} ${target.slice(0, 60)}: no answer`)))
    rq.on('error', (e) => failed(new Error(`${method} ${target.slice(0, 60)} ${String(text).slice(0, 40)}: ${e.message}`)))
    rq.end(text)
  })
}
async function lives(after) {
  assert.equal(ended, null, `${after}: the server ended: ${said.slice(-3000)}`)
  assert.equal((await ask('GET', '/healthz')).status, 200, after)
  console.log(`# ${after}: lives`)
}
/** A refusal of 4xx that names what is wrong. */
function refused(answer, what) {
  assert.ok(answer.status >= 400 && answer.status < 500, `${what}: ${answer.status} ${JSON.stringify(answer.json)}`)
  assert.ok(answer.json?.error?.code && answer.json.error.message, `${what}: no error envelope`)
}
/** Octets to a port as they are; what came back, until it closes or for `wait` ms. */
function poke(host, at, octets, wait = 1500) {
  return new Promise((done) => {
    let got = ''
    const socket = net.connect(at, host, () => socket.write(octets))
    const timer = setTimeout(() => socket.destroy(), wait)
    socket.on('data', (piece) => { got += piece.toString('latin1') })
    socket.on('error', () => {})
    socket.on('close', () => { clearTimeout(timer); done(got) })
  })
}
const flip = (octets, i, n = 5) => {
  const copy = Buffer.from(octets)
  for (let j = 0; j < n; j++) copy[(i * 7919 + j * 977) % copy.length] ^= 1 << (i + j) % 8
  return copy
}
const A = '?api-version=2025-06-01', to = '+12065550101'
async function lease(type, capabilities) {
  const search = await ask('POST', `/availablePhoneNumbers/countries/US/:search${A}`, { phoneNumberType: type, assignmentType: 'application', capabilities })
  const searchId = search.headers['search-id']
  assert.equal((await ask('POST', `/availablePhoneNumbers/:purchase${A}`, { searchId })).status, 202)
  return (await ask('GET', `/availablePhoneNumbers/searchResults/${searchId}${A}`)).json.phoneNumbers[0]
}
const from = await lease('tollFree', { calling: 'none', sms: 'inbound+outbound' })
const caller = await lease('geographic', { calling: 'inbound+outbound', sms: 'none' })

// -- HTTP: raw bytes; 4xx (or 505), or closed without a word when it is no HTTP at all
const H = `Host: 127.0.0.1:${port}\r\nConnection: close\r\n`
const post = (h, body = '') => `POST /sms?api-version=1 HTTP/1.1\r\n${H}${h}\r\n\r\n${body}`
const lines = [[/^$/, Buffer.from([1, 2, 3, 0, 255, 10, 10])], [/^HTTP\/1.1 505/, 'GET / HTTP/9.9\r\n\r\n'], [/^HTTP\/1.1 400/, 'GET /healthz\r\n\r\n'],
  [/^HTTP\/1.1 405/, `FROB /healthz HTTP/1.1\r\n${H}\r\n`], [/^HTTP\/1.1 404/, `GET /a%20b HTTP/1.1\r\n${H}\r\n`],
  [/^HTTP\/1.1 400/, `GET /phoneNumbers/%zz HTTP/1.1\r\n${H}\r\n`], [/^HTTP\/1.1 400/, `GET /phoneNumbers/%00 HTTP/1.1\r\n${H}\r\n`],
  [/^HTTP\/1.1 414/, `GET /${'a'.repeat(100000)} HTTP/1.1\r\n${H}\r\n`], [/^HTTP\/1.1 431/, `GET /healthz HTTP/1.1\r\n${H}${'X: y\r\n'.repeat(9000)}\r\n`],
  [/^HTTP\/1.1 400/, `GET /healthz HTTP/1.1\r\n${H}nocolon\r\n\r\n`], [/^HTTP\/1.1 400/, post('Content-Length: -1')],
  [/^HTTP\/1.1 413/, post('Content-Length: 1000000000000000000', 'x')], [/^HTTP\/1.1 400/, post('Transfer-Encoding: chunked', 'zz\r\nhello\r\n')],
  [/^HTTP\/1.1 401/, post('Content-Length: 2', '{}')], [/^HTTP\/1.1 401/, post('Authorization: HMAC-SHA256 &&&=\r\nContent-Length: 2', '{}')],
  [/^HTTP\/1.1 401/, post('Transfer-Encoding: chunked', '2\r\n{}\r\n0\r\n\r\n')]]
for (const [expected, octets] of lines) assert.match(await poke('127.0.0.1', port, octets), expected, String(octets).slice(0, 60))
const hello = Buffer.from('16030100c8010000c40303' + '5a'.repeat(32) + '20' + '5a'.repeat(32) + '0006130113021303' + '0100' + '0075', 'hex')
await Promise.all(Array.from({ length: 120 }, (_, i) => poke('127.0.0.1', port, i % 2 ? hello.subarray(0, 1 + i % hello.length) : flip(hello, i), 300)))
const sms = JSON.stringify({ from, message: 'vanished', smsRecipients: [{ to }] })
const whole = Buffer.from(`POST /sms${A} HTTP/1.1\r\n` + Object.entries(headers('POST', `/sms${A}`, sms)).map(([k, v]) => `${k}: ${v}\r\n`).join('') + `\r\n${sms}`)
for (let i = 1; i <= 100; i++) {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await new Promise((up) => socket.once('connect', up))
  socket.write(whole.subarray(0, Math.ceil(whole.length * i / 100)))
  i % 2 ? socket.resetAndDestroy() : socket.destroy()
}
await lives('http')

// -- JSON: what is no JSON, and each field of a wrong type
const call = (await ask('POST', `/calling/callConnections${A}`, { targets: [{ kind: 'phoneNumber', phoneNumber: { value: to } }],
  sourceCallerIdNumber: { value: caller }, callbackUri: 'http://127.0.0.1:9/' })).json.callConnectionId
assert.ok(call)
const operations = [
  [`/sms${A}`, { from, message: 'hi', smsRecipients: [{ to: '' }] }, ['from', 'message', 'smsRecipients']],
  [`/calling/callConnections${A}`, { targets: [{ phoneNumber: { value: '+1' } }], sourceCallerIdNumber: { value: caller }, callbackUri: 'http://127.0.0.1:9/' },
    ['targets', 'sourceCallerIdNumber', 'sourceDisplayName', 'operationContext', 'callbackUri', 'mediaStreamingOptions']],
  [`/calling/callConnections/${call}:play${A}`, { playSources: [{ kind: 'file', file: { uri: 'x' } }] }, ['playSources', 'playTo', 'playOptions', 'operationContext']],
  [`/calling/callConnections/${call}:recognize${A}`, { recognizeInputType: 'dtmf' }, ['recognizeInputType', 'recognizeOptions', 'playPrompt', 'operationContext']],
  [`/availablePhoneNumbers/countries/US/:search${A}`, { phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' } },
    ['phoneNumberType', 'assignmentType', 'capabilities', 'areaCode', 'quantity']],
  [`/availablePhoneNumbers/:purchase${A}`, { searchId: randomUUID() }, ['searchId']],
  ['/carterfone/v1/smscs', { name: 'x', host: '127.0.0.1:9', systemId: 'x' }, ['name', 'host', 'systemId', 'simulated', 'window', 'rate']],
  ['/carterfone/v1/trunks', { name: 'x', host: '127.0.0.1:9' }, ['name', 'host', 'transport', 'simulated']],
  ['/carterfone/v1/eventSubscriptions', { endpointUrl: 'file:///etc/passwd' }, ['endpointUrl', 'eventTypes', 'batch']],
  ['/carterfone/v1/accounts', { name: 'a' }, ['name', 'offer']],
]
const texts = ['{', '[', '"x"', '{"a":}', '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"\\u0000":1}', Buffer.from([0x7b, 0xff, 0x7d]), '['.repeat(100000), '{"a":'.repeat(20000), '{"a":1e999}', '{}{}', 'null', '7']
for (const [target, body, fields] of operations) {
  for (const text of texts) refused(await ask('POST', target, text), `${target} ${String(text).slice(0, 20)}`)
  for (const field of fields)
    for (const wrong of [[[]], { a: { b: [] } }, 1e308, -1.5, 'x'.repeat(5000)].filter((w) => typeof w !== typeof body[field] || typeof w === 'number' || Array.isArray(w)))
      refused(await ask('POST', target, { ...body, [field]: wrong }), `${target} ${field}=${JSON.stringify(wrong).slice(0, 20)}`)
}
for (const n of [0, 101, 20000]) refused(await ask('POST', `/sms${A}`, { from, message: 'm', smsRecipients: Array(n).fill({ to }) }), `${n} recipients`)
refused(await ask('POST', `/sms${A}`, { from, message: 'm'.repeat(2049), smsRecipients: [{ to }] }), '2049 characters')
const once = { from, message: 'once', smsRecipients: [{ to, repeatabilityRequestId: randomUUID(), repeatabilityFirstSent: new Date().toUTCString() }] }
const same = await Promise.all(Array.from({ length: 80 }, () => ask('POST', `/sms${A}`, once)))
assert.equal(new Set(same.map((a) => a.json.value[0].messageId)).size, 1, 'one repeatability id, one message')
await lives('json')

// -- SMPP: to the simulated SMSC, then from one that leaves message_id out
const pdu = (id, status, seq, body = Buffer.alloc(0)) => {
  const head = Buffer.alloc(16);
  [16 + body.length, id, status, seq].forEach((v, i) => head.writeUInt32BE(v >>> 0, 4 * i))
  return Buffer.concat([head, body])
}
const z = (text) => Buffer.from(`${text}\0`)
const bind = pdu(9, 0, 1, Buffer.concat([z('x'), z('p'), z(''), Buffer.from([0x34, 0, 0]), z('')]))
const submit = pdu(4, 0, 2, Buffer.concat([z(''), Buffer.from([1, 1]), z('18005550000'), Buffer.from([1, 1]), z('12065550101'), Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 2]), z('h')]))
const [smscHost, smscPort] = ready.simSmpp.split(':')
const tell = async (octets) => Buffer.from(await poke(smscHost, smscPort, octets, 400), 'latin1')
assert.equal((await tell(Buffer.from('GET / HTTP/1.1\r\n\r\n'))).readUInt32BE(8), 2, 'ESME_RINVCMDLEN')
assert.equal((await tell(Buffer.from('ffffffff000000090000000000000001', 'hex'))).readUInt32BE(8), 2)
assert.equal((await tell(submit)).readUInt32BE(8), 4, 'ESME_RINVBNDSTS')
assert.equal((await tell(pdu(0x777, 0, 5))).readUInt32BE(8), 3, 'ESME_RINVCMDID')
assert.equal((await tell(pdu(9, 0, 1, Buffer.from('no NUL')))).readUInt32BE(8), 2)
await Promise.all(Array.from({ length: 150 }, (_, i) => tell(flip(Buffer.concat([bind, submit, submit, submit]), i))))
let submits = 0
const smsc = net.createServer((socket) => {
  let buffer = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', (piece) => {
    buffer = Buffer.concat([buffer, piece])
    while (buffer.length >= 16 && buffer.length >= buffer.readUInt32BE(0)) {
      const id = buffer.readUInt32BE(4), seq = buffer.readUInt32BE(12)
      buffer = buffer.subarray(buffer.readUInt32BE(0))
      if (id < 0x80000000) socket.write(pdu(id | 0x80000000, 0, seq, id === 9 ? z('far') : undefined))
      if (id === 4) socket.write(pdu(5, 0, ++submits, flip(submit.subarray(16), submits)))     // and a broken deliver_sm
    }
  })
})
await new Promise((up) => smsc.listen(0, '127.0.0.1', up))
assert.equal((await ask('POST', '/carterfone/v1/smscs', { name: 'far', host: `127.0.0.1:${smsc.address().port}`, systemId: 'x', simulated: true })).status, 201)
for (let i = 0; i < 100 && !(await ask('GET', '/carterfone/v1/smscs')).json.value.some((s) => s.name === 'far' && s.up); i++) await sleep(20)
for (let i = 0; i < 20; i++) await ask('POST', `/sms${A}`, { from, message: `no id ${i}`, smsRecipients: [{ to }] })
await sleep(1000)
assert.equal(submits, 20, 'each message is submitted once, although the answers name no message_id')
await lives('smpp')

// -- SIP and RTP
const udp = createSocket('udp4'), heard = []
udp.on('message', (m) => heard.push(m.toString('latin1')))
udp.on('error', () => {})
await new Promise((up) => udp.bind(0, '127.0.0.1', up))
const send = (octets, at) => new Promise((sent) => udp.send(octets, Number(at), '127.0.0.1', sent))
const sdp = (at = 40000, types = '0 101') => `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio ${at} RTP/AVP ${types}\r\n`
const sip = (method, user, { id = randomUUID(), seq = 1, tag = '', body = '', more = '', length = Buffer.byteLength(body) } = {}) =>
  `${method} sip:${user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${udp.address().port};branch=z9hG4bK${randomUUID()}\r\nMax-Forwards: 70\r\n` +
  `From: <sip:+12065550177@127.0.0.1>;tag=f${id}\r\nTo: <sip:x@127.0.0.1>${tag && `;tag=${tag}`}\r\nCall-ID: ${id}\r\nCSeq: ${seq} ${method}\r\n` +
  `Contact: <sip:a@127.0.0.1:${udp.address().port}>\r\n${more}${body && 'Content-Type: application/sdp\r\n'}Content-Length: ${length}\r\n\r\n${body}`
for (const at of [ready.sip.split(':')[1], ready.simSip.split(':')[1]]) {
  const good = Buffer.from(sip('INVITE', caller, { body: sdp() }))
  for (let i = 0; i < 600; i++) {
    await send(i % 3 ? flip(good, i, 1 + i % 7) : Buffer.from(Array.from({ length: i % 200 }, (_, j) => (i * 31 + j * 17) & 255)), at)
    if (i % 50 === 0) await sleep(5)
  }
  for (const m of ['', '\r\n\r\n', 'x'.repeat(60000), sip('INVITE', 'a'.repeat(9000), { body: sdp() }), sip('INVITE', caller, { body: sdp(), length: 99999 }),
    sip('FROB', caller), sip('BYE', caller, { tag: 'none' }), sip('INVITE', caller, { body: sdp(), more: 'Require: 100rel\r\n' }), sip('INVITE', caller, { body: sdp(40000, '9 18') }),
    sip('INVITE', caller, { body: 'v=0' }), sip('INVITE', caller, { body: sdp(99999) }), sip('INVITE', caller, { body: sdp().repeat(50) })]) await send(m, at)
  const tcp = await Promise.all(Array.from({ length: 40 }, (_, i) => poke('127.0.0.1', at, i % 2 ? good.subarray(0, i * 5) : 'x'.repeat(i * 1000), 300)))
  assert.equal(tcp.length, 40)
}
await sleep(300)
for (const status of [400, 420, 481, 488, 501]) assert.ok(heard.some((m) => m.startsWith(`SIP/2.0 ${status} `)), `SIP ${status} among the answers`)
const id = randomUUID(), simSip = ready.simSip.split(':')[1]
await send(sip('INVITE', to, { id, body: sdp() }), simSip)
let answer
for (let i = 0; i < 250 && !answer; i++, await sleep(20)) answer = heard.find((m) => m.startsWith('SIP/2.0 200') && m.includes(id))
assert.ok(answer, 'the handset answers')
const tag = answer.match(/^To:.*;tag=([^\r\n;]+)/m)[1], rtp = answer.match(/m=audio (\d+)/)[1]
await send(sip('ACK', to, { id, tag }), simSip)
for (let i = 0; i < 600; i++) {
  const packet = Buffer.from(Array.from({ length: i % 300 }, (_, j) => (i * 31 + j * 17) & 255))
  if (i % 3 === 0 && packet.length > 12) [packet[0], packet[1]] = [0x80, [0, 101, 8, 229][i % 4]]
  await send(packet, rtp)
}
for (let seq = 2; seq < 60; seq++) await send(sip('INVITE', to, { id, tag, seq, body: sdp(40000 + seq) }), simSip)
await send(sip('BYE', to, { id, tag, seq: 99 }), simSip)
await lives('sip, rtp')

// -- webhooks: one that never answers and one that never ends do not hold up the third
const arrived = []
for (const then of [() => {}, (rs) => { rs.writeHead(200); const drip = setInterval(() => rs.write('x'), 50); rs.on('close', () => clearInterval(drip)) }, (rs, e) => { arrived.push(e); rs.end() }]) {
  const hook = createServer((rq, rs) => {
    let text = ''
    rq.on('data', (piece) => { text += piece })
    rq.on('end', () => {
      const [event] = JSON.parse(text)
      event.data.validationCode ? rs.end(JSON.stringify({ validationResponse: event.data.validationCode })) : then(rs, event)
    })
  })
  await new Promise((up) => hook.listen(0, '127.0.0.1', up))
  assert.equal((await ask('POST', '/carterfone/v1/eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`,
    eventTypes: ['Microsoft.Communication.SMSReceived'] })).status, 201)
}
for (let i = 0; i < 10; i++) assert.equal((await ask('POST', `/carterfone/v1/handsets/${encodeURIComponent(to)}/:sms`, { to: from, text: `in ${i}` })).status, 200)
for (let i = 0; i < 250 && arrived.length < 10; i++) await sleep(20)
assert.equal(arrived.length, 10, 'events at the endpoint that answers')
await lives('webhooks')

// -- YAML: exit 2, file and line
for (const [yaml, words] of [['lisen: x', /:1: .*did you mean 'listen'/], ['listen: [', /:\d+: /], ['listen: a\nlisten: b', /:2: .*twice|HOST:PORT/], ['- a', /mapping/], ['edition: 1999', /:1: .*2020-10/], ['['.repeat(20000), /:\d+: /]]) {
  const file = join(folder, 'config.yaml')
  writeFileSync(file, yaml)
  const run = spawnSync(program, ['serve', '--config', file], { encoding: 'utf8', timeout: 20000 })
  assert.equal(run.status, 2, `${yaml.slice(0, 20)}: ${run.stderr.slice(0, 500)}`)
  assert.match(run.stderr, words)
}

server.kill('SIGTERM')
await gone
assert.deepEqual(ended, { code: 0, signal: null }, said.slice(-3000))
assert.doesNotMatch(said, /Sanitizer|runtime error/)
console.log('# ended with 0')
process.exit(0)
