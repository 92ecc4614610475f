// Accounts, the management API through its official SDK, keys, host names, and what ends with a resource.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import dns from 'node:dns'
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import test from 'node:test'
import { CommunicationServiceManagementClient } from '@azure/arm-communication'
import { PhoneNumbersClient } from '@azure/communication-phone-numbers'
import { SmsClient } from '@azure/communication-sms'
import { connectionString, endpoint, eventually, folder, lease, own, ready, refused, resourceUnder } from './harness.mjs'

const DEVELOPMENT_KEY = 'Y2FydGVyZm9uZS1kZXZlbG9wbWVudC1rZXktMDAwMDE='
const ctl = (...args) => execFileSync(process.env.CARTERFONE, [...args, '--data', process.env.CARTERFONE_DATA], { encoding: 'utf8' })
const ctlJson = (...args) => JSON.parse(ctl(...args, '--json'))

// RFC 6761: names under localhost are this machine. Not every resolver knows.
const lookup = dns.lookup
dns.lookup = (host, options, done) => host.endsWith('.localhost') ? lookup('127.0.0.1', options, done) : lookup(host, options, done)
const port = new URL(ready.api).port

/** A TokenCredential of this text. */
const credential = (token) => ({ getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3600e3 }) })
const manager = async (account = 'default', token = ctl('token', '--operator').trim()) => {
  const { id } = await own('GET', `accounts/${account}`)
  return new CommunicationServiceManagementClient(credential(token), id, { endpoint: ready.api })
}
const arm = await manager()
const services = arm.communicationServices
const global = { location: 'global', dataLocation: 'United States' }
const all = async (list) => { const found = []; for await (const one of list) found.push(one); return found }

/** A connection string with another key. */
const withKey = (key) => connectionString.replace(/accesskey=.*/, `accesskey=${key}`)
/** The SDK's error of a refused management call. */
const no = (call) => call.then(() => assert.fail('it was not refused'), (e) => e)

const search = { countryCode: 'US', phoneNumberType: 'tollFree', assignmentType: 'application', capabilities: { calling: 'none', sms: 'outbound' }, quantity: 1 }

test('a resource is created, read, listed both ways, changed and deleted by the management SDK', async () => {
  assert.equal((await services.checkNameAvailability({ name: 'shop', type: 'Microsoft.Communication/CommunicationServices' })).nameAvailable, true)
  const made = await services.beginCreateOrUpdateAndWait('Web', 'shop', { ...global, tags: { env: 'test' } })
  assert.equal(made.name, 'shop')
  assert.equal(made.provisioningState, 'Succeeded')
  assert.equal(made.hostName, 'shop.localhost')
  assert.equal(made.dataLocation, 'United States')
  assert.equal(made.location, 'global')
  assert.deepEqual(made.tags, { env: 'test' })
  assert.match(made.id, new RegExp(`^/subscriptions/${arm.subscriptionId}/resourceGroups/Web/providers/Microsoft.Communication/`))
  assert.equal((await own('GET', 'resources/shop')).id, made.immutableResourceId)
  assert.ok(made.systemData.createdAt instanceof Date)

  assert.deepEqual(await services.get('web', 'SHOP'), made)         // groups and names in any case
  assert.deepEqual((await all(services.listByResourceGroup('Web'))).map((r) => r.name), ['shop'])
  assert.deepEqual((await all(services.listBySubscription())).map((r) => r.name), ['default', 'shop'])

  const tagged = await services.update('Web', 'shop', { tags: { env: 'live', team: 'a' } })
  assert.deepEqual(tagged.tags, { env: 'live', team: 'a' })
  assert.deepEqual((await services.update('Web', 'shop', { identity: { type: 'None' } })).tags, { env: 'live', team: 'a' })
  assert.deepEqual((await services.beginCreateOrUpdateAndWait('Web', 'shop', global)).tags, {})

  const taken = await services.checkNameAvailability({ name: 'Shop', type: 'Microsoft.Communication/CommunicationServices' })
  assert.deepEqual([taken.nameAvailable, taken.reason], [false, 'AlreadyExists'])
  assert.equal((await services.checkNameAvailability({ name: 'no_label', type: 'Microsoft.Communication/CommunicationServices' })).reason, 'Invalid')

  await services.beginDeleteAndWait('Web', 'shop')
  assert.equal((await no(services.get('Web', 'shop'))).code, 'ResourceNotFound')
  await services.beginDeleteAndWait('Web', 'shop')                  // 204: it is not there, as was wanted
  await services.beginCreateOrUpdateAndWait('Web', 'shop', global)  // the name is free again
  assert.notEqual((await own('GET', 'resources/shop')).id, made.immutableResourceId)
  await services.beginDeleteAndWait('Web', 'shop')
})

test('what one door makes the other shows', async () => {
  ctl('resource', 'add', 'kiosk', '--group', 'stands')
  assert.equal((await services.get('stands', 'kiosk')).name, 'kiosk')
  await services.beginCreateOrUpdateAndWait('stands', 'booth', global)
  assert.ok(ctlJson('resource', 'list').value.some((r) => r.name === 'booth' && r.group === 'stands'))
  assert.match(ctl('resource', 'show', 'booth'), /host name +booth\.localhost/)
  ctl('resource', 'delete', 'kiosk')
  await services.beginDeleteAndWait('stands', 'booth')
  assert.deepEqual(await all(services.listByResourceGroup('stands')), [])
})

test('a long list comes in pages', async () => {
  const pages = await manager((await own('POST', 'accounts', { name: 'many' })).name)
  for (let i = 0; i < 103; i++) await own('POST', 'resources', { name: `r${i}`, account: 'many', group: 'g' })
  const seen = []
  for await (const page of pages.communicationServices.listByResourceGroup('g').byPage()) seen.push(page.length)
  assert.deepEqual(seen, [100, 3])
  assert.deepEqual((await all(pages.communicationServices.listBySubscription())).map((r) => r.name), Array.from({ length: 103 }, (_, i) => `r${i}`))
  for (let i = 0; i < 103; i++) await own('DELETE', `resources/r${i}`)
})

test('what cannot be is refused with the rule, as the SDK sees it', async () => {
  await services.beginCreateOrUpdateAndWait('rules', 'strict', global)
  const cases = [
    [() => services.beginCreateOrUpdate('rules', 'no_label', global), 400, 'BadRequest', 'NameInvalid'],
    [() => services.beginCreateOrUpdate('rules', 'nowhere', { location: 'global' }), 400, 'BadRequest', 'DataLocationNeeded'],
    [() => services.beginCreateOrUpdate('other', 'strict', global), 409, 'InvalidResourceLocation', 'ResourceElsewhere'],
    [() => services.beginCreateOrUpdate('rules', 'strict', { ...global, dataLocation: 'Europe' }), 409, 'Conflict', 'DataLocationFixed'],
    [() => services.beginCreateOrUpdate('rules', 'tagged', { ...global, tags: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`t${i}`, 'x'])) }), 400, 'BadRequest', 'TagsInvalid'],
    [() => services.update('rules', 'strict', { publicNetworkAccess: 'Disabled' }), 400, 'BadRequest', 'PrivateAccessNotBuilt'],
    [() => services.update('rules', 'strict', { linkedDomains: ['/a'] }), 501, 'NotImplemented', 'LinkedDomainsNotBuilt'],
    [() => services.update('rules', 'nobody', { tags: {} }), 404, 'ResourceNotFound', 'ResourceNotFound'],
    [() => services.get('elsewhere', 'strict'), 404, 'ResourceNotFound', 'ResourceNotFound'],
  ]
  for (const [call, status, code, rule] of cases) {
    const e = await no(call())
    assert.deepEqual([e.statusCode, e.code], [status, code], e.message)
    assert.equal(e.details.error.additionalInfo[0].info.code, rule)
    assert.equal(e.details.error.innererror.code, rule)
  }
  const stranger = new CommunicationServiceManagementClient(credential(ctl('token', '--operator').trim()), '7b6f2c1e-0000-4000-8000-000000000000', { endpoint: ready.api })
  assert.equal((await no(stranger.communicationServices.get('rules', 'strict'))).code, 'SubscriptionNotFound')
  const nowhere = await fetch(`${ready.api}/subscriptions/${arm.subscriptionId}/providers/Microsoft.Communication/communicationServices`, { headers: { authorization: `Bearer ${DEVELOPMENT_KEY}` } })
  assert.deepEqual([nowhere.status, (await nowhere.json()).error.code], [400, 'ApiVersionUnspecified'])
  await services.beginDeleteAndWait('rules', 'strict')
})

test('what is e-mail, and notification hubs, say that they are not built', async () => {
  for (const call of [() => arm.emailServices.get('g', 'e'), () => arm.domains.get('g', 'e', 'd'), () => arm.senderUsernames.get('g', 'e', 'd', 's'),
    () => arm.smtpUsernames.get('g', 'default', 's'), () => arm.suppressionListAddresses.get('g', 'e', 'd', 'l', '7b6f2c1e-0000-4000-8000-000000000000'),
    () => services.linkNotificationHub('default', 'default', { linkNotificationHubParameters: { resourceId: 'x', connectionString: 'y' } })]) {
    const e = await no(call())
    assert.deepEqual([e.statusCode, e.code], [501, 'NotImplemented'])
  }
  assert.ok((await all(arm.operations.list())).some((o) => o.name === 'Microsoft.Communication/CommunicationServices/write'))
})

test('tokens: the operator\'s manage, a resource\'s do not; the development key may be said as it is', async () => {
  const development = await manager('default', DEVELOPMENT_KEY)
  assert.equal((await development.communicationServices.get('default', 'default')).name, 'default')
  const theirs = await manager('default', ctl('token').trim())
  assert.equal((await no(theirs.communicationServices.get('default', 'default'))).details.error.innererror.code, 'OperatorOnly')
  const token = ctl('token', '--operator').trim(), forged = token.slice(0, -1) + (token.endsWith('A') ? 'B' : 'A')
  for (const [bad, rule] of [[forged, 'BadToken'], ['cf1.1000.' + token.split('.')[2], 'TokenExpired'], ['eyJ.a.b', 'TokenMalformed']]) {
    const e = await no((await manager('default', bad)).communicationServices.get('default', 'default'))
    assert.equal(e.statusCode, 401)
    assert.equal(e.details.error.innererror.code, rule)
  }
  // a resource's token is its key for SDKs that take a TokenCredential
  const numbers = new PhoneNumbersClient(ready.api, credential(ctl('token').trim()))
  assert.ok(Array.isArray(await all(numbers.listPurchasedPhoneNumbers())))
})

test('both keys work, and each is rotated while the other serves; the old one ends at once', async () => {
  await services.beginCreateOrUpdateAndWait('keys', 'turn', global)
  const first = await services.listKeys('keys', 'turn')
  assert.match(first.primaryConnectionString, new RegExp(`^endpoint=${ready.api}/;accesskey=`))
  const works = (key) => all(new PhoneNumbersClient(withKey(key)).listPurchasedPhoneNumbers()).then(() => true, (e) => { assert.equal(e.statusCode, 401); return false })
  assert.ok(await works(first.primaryKey) && await works(first.secondaryKey))

  let stop = false, failures = 0, asked = 0
  const key = { now: first.secondaryKey }
  const traffic = (async () => { while (!stop) { asked++; if (!await works(key.now)) failures++ } })()
  const second = await services.regenerateKey('keys', 'turn', { keyType: 'Primary' })
  assert.notEqual(second.primaryKey, first.primaryKey)
  assert.equal(second.secondaryKey, first.secondaryKey)
  assert.ok(!await works(first.primaryKey))
  key.now = second.primaryKey
  await eventually('traffic on the new key', () => asked > 10)
  stop = true
  await traffic
  assert.equal(failures, 0)
  const third = await services.regenerateKey('keys', 'turn', { keyType: 'Secondary' })
  assert.ok(!await works(first.secondaryKey))
  assert.ok(await works(second.primaryKey) && await works(third.secondaryKey))
  assert.equal((await no(services.regenerateKey('keys', 'turn', { keyType: 'Third' }))).message.includes('Third'), true)
  const cli = ctlJson('resource', 'rotate-key', 'turn', 'secondary')
  assert.ok(!await works(third.secondaryKey) && await works(cli.secondaryKey))

  await services.update('keys', 'turn', { disableLocalAuth: true })
  assert.ok(!await works(second.primaryKey) && !await works(cli.secondaryKey))
  await services.update('keys', 'turn', { disableLocalAuth: false })
  assert.ok(await works(second.primaryKey))
  await services.beginDeleteAndWait('keys', 'turn')
})

/** The names in the certificate that one gets who asks for `host`, once it has been verified. */
const certificateOf = (host) => new Promise((done, failed) => request({ host, port, path: '/healthz', agent: false }, (answer) => {
  done(answer.socket.getPeerCertificate().subjectaltname)
  answer.resume()
}).on('error', failed).end())

test('the host name says which resource is meant; its certificate carries it as soon as the resource is there', async () => {
  await assert.rejects(certificateOf('salon.localhost'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  const { hostName } = await services.beginCreateOrUpdateAndWait('hosts', 'salon', global)
  assert.equal(hostName, 'salon.localhost')
  assert.equal(await certificateOf(hostName), 'DNS:salon.localhost')
  assert.match(await certificateOf('localhost'), /DNS:localhost, /)
  assert.match(await certificateOf('default.localhost'), /DNS:default.localhost/)

  const keys = await services.listKeys('hosts', 'salon')
  const at = (host, key) => `endpoint=https://${host}:${port}/;accesskey=${key}`
  const salon = new PhoneNumbersClient(at(hostName, keys.primaryKey)), sms = new SmsClient(at(hostName, keys.secondaryKey))
  const number = await lease(salon, { sms: 'outbound' })
  const [sent] = await sms.send({ from: number, to: ['+12065550110'], message: 'from the salon' })
  assert.ok(sent.successful)
  // another's key is no key here, and this one is none there, though either would do where the key alone tells
  const theirs = connectionString.match(/accesskey=(.*)/)[1]
  for (const [host, key] of [[hostName, theirs], ['default.localhost', keys.primaryKey]]) {
    const e = await no(all(new PhoneNumbersClient(at(host, key)).listPurchasedPhoneNumbers()))
    assert.equal(e.statusCode, 401)
  }
  assert.deepEqual((await all(new PhoneNumbersClient(at('localhost', keys.primaryKey)).listPurchasedPhoneNumbers())).map((n) => n.phoneNumber), [number])
  // tokens as well
  const token = ctl('token', '--resource', 'salon').trim()
  assert.equal((await all(new PhoneNumbersClient(`https://${hostName}:${port}`, credential(token)).listPurchasedPhoneNumbers())).length, 1)
  assert.equal((await no(all(new PhoneNumbersClient(`https://default.localhost:${port}`, credential(token)).listPurchasedPhoneNumbers()))).statusCode, 401)
  await services.beginDeleteAndWait('hosts', 'salon')
  await assert.rejects(certificateOf(hostName), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('with a domain of the operator\'s own, resources are named under it', async (t) => {
  const any = '127.0.0.1:0', file = join(folder, 'domain.json')
  const server = spawn(process.env.CARTERFONE, ['serve', '--domain', 'tel.example', '--in-memory', '--listen', any, '--sip', any, '--sim-sip', any,
    '--smpp', any, '--sim-smpp', any, '--rtp-ports', '0', '--quiet', '--ready-file', file], { stdio: 'ignore' })
  t.after(() => { server.kill('SIGTERM'); return new Promise((ended) => server.once('exit', ended)) })
  await eventually('the server', () => existsSync(file))
  const its = JSON.parse(readFileSync(file, 'utf8'))
  const ask = (servername, path) => new Promise((done, failed) => request(its.api + path, { agent: false, servername, ca: readFileSync(its.caFile),
    headers: { authorization: `Bearer ${DEVELOPMENT_KEY}` } }, (answer) => {
    let text = ''
    answer.on('data', (piece) => { text += piece }).on('end', () => done({ names: answer.socket.getPeerCertificate().subjectaltname, json: JSON.parse(text) }))
  }).on('error', failed).end())
  assert.equal((await ask('default.tel.example', '/carterfone/v1/resources/default')).json.hostName, 'default.tel.example')
  assert.equal((await ask('default.tel.example', '/carterfone/v1/resources/default')).names, 'DNS:default.tel.example')
  assert.match((await ask('else.tel.example', '/carterfone/v1/resources/default/keys')).names, /DNS:tel\.example, DNS:\*\.tel\.example/)
  const { json } = await ask('localhost', '/carterfone/v1/resources/default/keys')
  assert.match(json.connectionString, /^endpoint=https:\/\/default\.tel\.example:\d+\/;accesskey=/)
})

test('a deleted resource gives back what it holds, releases what it leases, and its keys and event subscriptions end', async (t) => {
  await services.beginCreateOrUpdateAndWait('ends', 'brief', global)
  const { primaryKey } = await services.listKeys('ends', 'brief')
  const client = new PhoneNumbersClient(withKey(primaryKey))
  const leased = [await lease(client, { areaCode: '844', sms: 'outbound' }), await lease(client, { areaCode: '844', sms: 'outbound' })]
  const held = await (await client.beginSearchAvailablePhoneNumbers({ ...search, areaCode: '855' })).pollUntilDone()
  const hook = await endpoint(t)
  const { id } = await own('GET', 'resources/brief')
  const made = await own('POST', 'eventSubscriptions', { endpointUrl: `${hook.url}/brief`, resource: 'brief' })
  assert.ok(ctl('numbers', 'list', '--resource', 'brief').includes(leased[0]))

  await services.beginDeleteAndWait('ends', 'brief')
  const late = await no(all(client.listPurchasedPhoneNumbers()))
  assert.equal(late.statusCode, 401)
  assert.ok(!(await own('GET', 'eventSubscriptions')).value.some((s) => s.id === made.id))
  // released: nobody's, and not offered before its cycle and its quarantine are over; what was only held is available at once
  const mine = new PhoneNumbersClient(connectionString)
  for (const number of leased) assert.equal((await no(mine.getPurchasedPhoneNumber(number))).statusCode, 404)
  const again = await lease(mine, { areaCode: '844', sms: 'outbound' })
  assert.ok(!leased.includes(again))
  await services.beginCreateOrUpdateAndWait('ends', 'brief', global)
  assert.notEqual((await own('GET', 'resources/brief')).id, id)
  const heir = new PhoneNumbersClient(withKey((await services.listKeys('ends', 'brief')).primaryKey))
  assert.deepEqual(await all(heir.listPurchasedPhoneNumbers()), [])
  assert.ok(held.phoneNumbers.length === 1)
  await services.beginDeleteAndWait('ends', 'brief')
})

test('trial, free credit and a billing country abroad acquire nothing, at search and at purchase, with the rule', async () => {
  const cases = [['trial', 'US', 'TrialSubscriptionNotEligible'], ['free-credit', 'US', 'TrialSubscriptionNotEligible'], ['payg', 'DE', 'BillingCountryNotEligible']]
  for (const [offer, billingCountry, rule] of cases) {
    const account = `${offer}-${billingCountry.toLowerCase()}`
    const client = new PhoneNumbersClient(await resourceUnder(account, { offer, billingCountry }))
    assert.equal((await refused(() => client.beginSearchAvailablePhoneNumbers(search), 403)).innererror.code, rule)
    // the same at purchase: found while it could pay, bought when it no longer can
    ctl('account', 'set', account, '--offer', 'payg', '--billing-country', 'US')
    const found = await (await client.beginSearchAvailablePhoneNumbers(search)).pollUntilDone()
    ctl('account', 'set', account, '--offer', offer, '--billing-country', billingCountry)
    assert.equal((await refused(() => client.beginPurchasePhoneNumbers(found.searchId), 403)).innererror.code, rule)
  }
})

test('a suspended subscription buys, sends and calls nothing more; what it has stays and can be given back', async () => {
  const theirs = await resourceUnder('late', { offer: 'payg', billingCountry: 'US' })
  const numbers = new PhoneNumbersClient(theirs), sms = new SmsClient(theirs)
  const number = await lease(numbers, { sms: 'inbound+outbound', calling: 'inbound+outbound' })
  const found = await (await numbers.beginSearchAvailablePhoneNumbers(search)).pollUntilDone()
  ctl('account', 'suspend', 'late')
  assert.equal(ctlJson('account', 'show', 'late').state, 'suspended')
  for (const call of [() => numbers.beginSearchAvailablePhoneNumbers(search), () => numbers.beginPurchasePhoneNumbers(found.searchId),
    () => sms.send({ from: number, to: ['+12065550110'], message: 'x' })])
    assert.equal((await refused(call, 403)).innererror.code, 'SubscriptionNotActive')
  const call = await no(own('POST', 'calls', { from: number, to: '+12065550110' }))
  assert.equal(call.error.innererror.code, 'SubscriptionNotActive')
  assert.ok((await own('POST', 'calls', { from: number, to: '911' })).callConnectionId)        // help is never refused
  assert.equal((await numbers.getPurchasedPhoneNumber(number)).phoneNumber, number)
  await own('POST', `handsets/${encodeURIComponent('+12065550111')}/:sms`, { to: number, text: 'still in' })
  await eventually('the message', async () => (await own('GET', 'events?after=all')).value.some((e) => e.data.message === 'still in'))
  ctl('account', 'resume', 'late')
  const [sent] = await sms.send({ from: number, to: ['+12065550110'], message: 'again' })
  assert.ok(sent.successful)
  ctl('account', 'suspend', 'late')
  await (await numbers.beginReleasePhoneNumber(number)).pollUntilDone()
  assert.equal((await no(numbers.getPurchasedPhoneNumber(number))).statusCode, 404)
})
