// What phones write: STOP, START and HELP where this server answers them, in the language of the number; long texts in parts.
import assert from 'node:assert/strict'
import test from 'node:test'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, eventually, lease, own, randomUUID } from './harness.mjs'

const numbers = new PhoneNumbersClient(connectionString)
const sms = new SmsClient(connectionString)
const from = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
const inbox = async (phone) => (await own('GET', `handsets/${encodeURIComponent(phone)}/inbox`)).value.filter((m) => m.from === from).map((m) => m.text)
const write = (phone, text) => own('POST', `handsets/${encodeURIComponent(phone)}/:sms`, { to: from, text })
const arrived = async (phone, text, n = 1) => {
  let found
  await eventually(`${text} came`, async () => (found = (await own('GET', 'messages')).value.filter((m) => m.direction === 'inbound' && m.from === phone && m.message === text)).length >= n)
  return found[0].messageId
}
const lines = async (id) => (await own('GET', `explain/${id}`)).lines.map((l) => `${l.step}: ${l.text}`)
const outs = async () => (await own('GET', `optouts?from=${encodeURIComponent(from)}`)).value.map((e) => e.to)
const handling = (more) => own('POST', 'smsGuards', { name: 'handling', kind: 'optout', match: from, ...more })
const noHandling = () => own('DELETE', 'smsGuards/handling')

test('where the carrier answers, STOP is recorded and answered by nobody here; HELP is a text like any other', async () => {
  const phone = '+12065550101'
  await write(phone, 'STOP')
  const id = await arrived(phone, 'STOP')
  assert.deepEqual(await outs(), [phone])
  assert.ok((await lines(id)).includes('opt-out: STOP recorded: the carrier answers on this number'))
  await write(phone, 'HELP')
  await arrived(phone, 'HELP')
  await write(phone, 'START')
  await arrived(phone, 'START')
  await eventually('it is taken back', async () => (await outs()).length === 0)
  assert.deepEqual(await inbox(phone), [])
})

test('where this server answers, STOP is confirmed once, in the same unit; START and HELP too; the language is the number\'s', async (t) => {
  t.after(noHandling)
  await handling({ handling: 'platform', language: 'es' })
  const phone = '+12065550102'
  await write(phone, 'Alto.')
  const id = await arrived(phone, 'Alto.')
  await eventually('the confirmation', async () => (await inbox(phone)).length === 1)
  assert.match((await inbox(phone))[0], /^Ya no recibirá mensajes/)
  assert.deepEqual(await outs(), [phone])
  const reply = (await lines(id)).find((l) => l.startsWith('reply:')).match(/is answered by (\S+)/)[1]
  assert.ok((await lines(reply)).includes('reply: answers STOP, by itself'))
  assert.equal((await sms.send({ from, to: [phone], message: 'x' }))[0].errorMessage, 'Sender blocked for given recipient.')
  await write(phone, 'stop')
  await arrived(phone, 'stop')
  assert.equal((await inbox(phone)).length, 1)              // said before
  await write(phone, 'start')
  await eventually('welcome back', async () => (await inbox(phone)).length === 2)
  assert.deepEqual(await outs(), [])
  await write(phone, 'AYUDA')
  await eventually('help', async () => (await inbox(phone)).length === 3)
})

test('to one phone only so many answers go in an hour, and that is told', async (t) => {
  t.after(noHandling)
  await handling({ handling: 'platform' })
  const phone = '+12065550103'
  for (let i = 1; i <= 5; i++) {
    await write(phone, 'HELP')
    await arrived(phone, 'HELP', i)
  }
  const told = await Promise.all((await own('GET', 'messages')).value.filter((m) => m.from === phone && m.message === 'HELP').map((m) => lines(m.messageId)))
  const none = told.filter((l) => l.includes('reply: none: too many answers went to that phone within the hour'))
  assert.equal(none.length, 2)
  await eventually('three answers', async () => (await inbox(phone)).length === 3)
  await own('POST', 'clock/:advance', { seconds: 3600 })
  await write(phone, 'HELP')
  await eventually('and one more an hour later', async () => (await inbox(phone)).length === 4)
})

test('where nobody answers, STOP is a text and no more', async (t) => {
  t.after(noHandling)
  await handling({ handling: 'none' })
  const phone = '+12065550104'
  await write(phone, 'STOP')
  await arrived(phone, 'STOP')
  assert.deepEqual(await outs(), [])
  assert.equal((await sms.send({ from, to: [phone], message: 'still wanted' }))[0].httpStatusCode, 202)
})

test('numbers of ours that write to each other come to rest', async (t) => {
  const other = await lease(numbers, { areaCode: '844', sms: 'inbound+outbound' })
  t.after(noHandling)
  await own('POST', 'smsGuards', { name: 'handling', kind: 'optout', match: 'toll-free', handling: 'platform' })
  await sms.send({ from, to: [other], message: 'STOP' })
  await sms.send({ from: other, to: [from], message: 'HELP' })
  await own('POST', 'clock/:advance', { seconds: 60 })
  const about = (await own('GET', 'messages')).value.filter((m) => [m.from, m.to].includes(other))
  assert.ok(about.length >= 2 && about.length <= 8, JSON.stringify(about.map((m) => m.message)))
  await own('POST', 'clock/:advance', { seconds: 60 })
  const later = (await own('GET', 'messages')).value.filter((m) => [m.from, m.to].includes(other))
  assert.equal(later.length, about.length)
})

test('a long text from a phone is one message again, each sender\'s by itself', async () => {
  const texts = ['+12065550105', '+12065550106'].map((phone) => ({ phone, text: `${phone} ${randomUUID()} ${'ä long one '.repeat(40)}`.trim() }))
  await Promise.all(texts.map(({ phone, text }) => write(phone, text)))
  for (const { phone, text } of texts) await arrived(phone, text)
})
