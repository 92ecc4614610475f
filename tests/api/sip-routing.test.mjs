// Direct routing through the official SDK, and what it has no method for as signed requests.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test from 'node:test'
import { SipRoutingClient } from '@azure/communication-phone-numbers'
import { connectionString, key, own, resourceUnder, signed } from './harness.mjs'

const sip = new SipRoutingClient(connectionString)
const all = async (pages) => { const found = []; for await (const one of pages) found.push(one); return found }
const fqdns = async () => (await all(sip.listTrunks?.() ?? await sip.getTrunks())).map((t) => t.fqdn)
const routes = async () => all(sip.listRoutes?.() ?? await sip.getRoutes())
const one = 'sbc1.contoso.com', two = 'sbc2.contoso.com'
const route = (name, trunks = [], numberPattern = '^+[1-9][0-9]{3,23}$') => ({ name, description: name, numberPattern, trunks })
const patch = (body, version = '2023-03-01') => signed(key, 'PATCH', `/sip?api-version=${version}`, body, { 'content-type': 'application/merge-patch+json' })

test('trunks are set, found, changed and deleted', async () => {
  assert.deepEqual(await fqdns(), [])
  await sip.setTrunks([{ fqdn: two, sipSignalingPort: 5061 }, { fqdn: one, sipSignalingPort: 5062 }])
  assert.deepEqual(await fqdns(), [two, one])
  await sip.setTrunk({ fqdn: one, sipSignalingPort: 5063 })
  assert.equal((await sip.getTrunk(one)).sipSignalingPort, 5063)
  await sip.deleteTrunk(two)
  await sip.deleteTrunk('never-there.contoso.com')
  assert.deepEqual(await fqdns(), [one])
  await sip.setTrunks([{ fqdn: two, sipSignalingPort: 5061 }])
  assert.deepEqual(await fqdns(), [two])
})

test('routes are replaced whole, in their order, with empty trunk lists', async () => {
  await sip.setTrunks([{ fqdn: one, sipSignalingPort: 5061 }, { fqdn: two, sipSignalingPort: 5061 }])
  await sip.setRoutes([route('z', [two, one]), route('a')])
  const found = await routes()
  assert.deepEqual(found.map((r) => [r.name, r.trunks]), [['z', [two, one]], ['a', []]])
  await sip.setRoutes([route('b', [one])])
  assert.deepEqual((await routes()).map((r) => r.name), ['b'])
})

test('a result that is not valid is refused whole', async () => {
  const before = await (await signed(key, 'GET', '/sip?api-version=2023-03-01')).text()
  const no = (call, rule, message) => assert.rejects(call, (e) => {
    assert.equal(e.statusCode, 422)
    assert.equal(e.code, 'UnprocessableConfiguration')
    const { error } = JSON.parse(e.response.bodyAsText)
    assert.equal(error.message, 'One or more request inputs are not valid.')
    assert.deepEqual(error.innererror, { code: rule, message })
    return true
  })
  await no(sip.setTrunk({ fqdn: '_', sipSignalingPort: 5061 }), 'InvalidTrunkFqdn', 'Trunk with an invalid FQDN.')
  await no(sip.setRoutes([route('r', ['missing.contoso.com'])]), 'MissingTrunk', 'Route targeting a missing trunk.')
  await no(sip.deleteTrunk(one), 'MissingTrunk', 'Route targeting a missing trunk.')
  assert.equal(await (await signed(key, 'GET', '/sip?api-version=2023-03-01')).text(), before)
})

test('each resource has its own, and changes at once are made one after another', async () => {
  const other = new SipRoutingClient(await resourceUnder('routing', { offer: 'payg', billingCountry: 'US' }))
  assert.deepEqual(await all(other.listTrunks?.() ?? await other.getTrunks()), [])
  const names = Array.from({ length: 8 }, (_, i) => `t${i}.contoso.com`)
  await Promise.all(names.map((fqdn) => other.setTrunk({ fqdn, sipSignalingPort: 5061 })))
  assert.deepEqual((await all(other.listTrunks?.() ?? await other.getTrunks())).map((t) => t.fqdn).sort(), names)
})

test('the preview has domains, enabled, health, and tests routes', async () => {
  const v = '2023-04-01-preview'
  const made = await (await patch({ domains: { 'contoso.com': { enabled: true } }, trunks: { [one]: { enabled: false } } }, v)).json()
  assert.deepEqual(made.domains, { 'contoso.com': { enabled: true } })
  assert.deepEqual(made.trunks[one], { sipSignalingPort: 5061, enabled: false })
  const seen = await (await signed(key, 'GET', `/sip?expand=trunks/health&api-version=${v}`)).json()
  assert.deepEqual(seen.trunks[one].health, { tls: { status: 'unknown' }, ping: { status: 'unknown' }, overall: { status: 'unknown' } })
  const old = await (await signed(key, 'GET', '/sip?api-version=2021-05-01-preview')).json()
  assert.deepEqual([Object.keys(old), old.trunks[one]], [['trunks', 'routes'], { sipSignalingPort: 5061 }])
  const target = (number) => `/sip:testRoutesWithNumber?targetPhoneNumber=${number}&api-version=${v}`
  const mine = await (await signed(key, 'POST', target('%2B14255550100'))).json()
  assert.deepEqual(mine.matchingRoutes.map((r) => r.name), ['b'])
  const body = { trunks: {}, routes: [{ name: 'us', numberPattern: '^\\+1', trunks: [] }, { name: 'uk', numberPattern: '^\\+44', trunks: [] }] }
  assert.deepEqual(await (await signed(key, 'POST', target('%2B442079460000'), body)).json(), { matchingRoutes: [body.routes[1]] })
  assert.equal((await signed(key, 'POST', target('nobody'))).status, 400)
})

test('what is no configuration is a 400', async () => {
  for (const body of [[], 'x', { trunks: [] }, { routes: {} }, { trunks: { [one]: 1 } }]) assert.equal((await patch(body)).status, 400)
})

test('each version sees its own shape, and writes no more than that', async () => {
  const read = async (version, query = '') => (await signed(key, 'GET', `/sip?${query}api-version=${version}`)).json()
  await patch({ domains: { 'v.example.com': { enabled: false } }, trunks: { 'v.example.com': { sipSignalingPort: 5070, enabled: false } } }, '2023-04-01-preview')
  for (const version of ['2021-05-01', '2021-05-01-preview', '2023-03-01']) {
    // members of later versions are unknown ones: passed over, in the question and in the body
    const made = await (await patch({ domains: { 'w.example.com': { enabled: true } }, trunks: { 'v.example.com': { sipSignalingPort: 5071, enabled: true } } }, version)).json()
    assert.deepEqual([Object.keys(made), made.trunks['v.example.com']], [['trunks', 'routes'], { sipSignalingPort: 5071 }], version)
    assert.deepEqual((await read(version, 'expand=trunks/health&')).trunks['v.example.com'], { sipSignalingPort: 5071 }, version)
    const test = await signed(key, 'POST', `/sip:testRoutesWithNumber?targetPhoneNumber=1&api-version=${version}`)
    assert.deepEqual([test.status, (await test.json()).error.code], [400, 'UnsupportedApiVersion'], version)
  }
  for (const version of ['2023-04-01-preview', '2024-11-15-preview']) {       // the second is one that we do not know
    const now = await read(version)
    assert.deepEqual([now.trunks['v.example.com'], now.domains['v.example.com'], now.domains['w.example.com']], [{ sipSignalingPort: 5071, enabled: false }, { enabled: false }, undefined])
  }
  assert.equal((await signed(key, 'GET', '/sip?expand=all&api-version=2023-04-01-preview')).status, 400)
})

test('a domain that the operator confirmed is one resource alone', async () => {
  const other = new SipRoutingClient(await resourceUnder('domains', { offer: 'payg', billingCountry: 'US' }))
  await own('POST', 'sipDomains/fabrikam.com/:verify', {})
  assert.deepEqual((await own('GET', 'sipDomains')).value.map((d) => [d.domain, d.resource]), [['fabrikam.com', 'default']])
  await sip.setTrunk({ fqdn: 'sbc.fabrikam.com', sipSignalingPort: 5061 })
  await assert.rejects(other.setTrunk({ fqdn: 'sbc9.fabrikam.com', sipSignalingPort: 5061 }),
    (e) => e.statusCode === 422 && JSON.parse(e.response.bodyAsText).error.innererror.code === 'TrunkDomainOfAnother')
  const no = (call, status, rule) => assert.rejects(call, (e) => e.statusCode === status && e.error.innererror.code === rule)
  await no(own('POST', 'sipDomains/fabrikam.com/:verify', { resource: 'domains-res' }), 409, 'SipDomainInUse')
  await no(own('POST', 'sipDomains/localhost/:verify', {}), 400, 'SipDomainInvalid')
  await no(own('POST', 'sipDomains/nowhere.com/:unverify', {}), 404, 'SipDomainAbsent')
  assert.equal((await signed(key, 'POST', '/carterfone/v1/sipDomains/fabrikam.com/:unverify', {})).status, 403)
  await own('POST', 'sipDomains/fabrikam.com/:unverify', {})
  await other.setTrunk({ fqdn: 'sbc9.fabrikam.com', sipSignalingPort: 5061 })
})

test('the command line shows direct routing and confirms domains', async () => {
  const cli = (...args) => new Promise((done) => execFile(process.env.CARTERFONE, ['sip', ...args, '--data', process.env.CARTERFONE_DATA],
    (e, out, err) => done({ code: e?.code ?? 0, out, err })))
  const three = 'sbc3.contoso.com'
  await sip.setRoutes([])
  await sip.setTrunks([{ fqdn: three, sipSignalingPort: 5061 }])
  await sip.setRoutes([route('first', [three]), route('second')])
  assert.match((await cli('show')).out, /trunk +sbc3\.contoso\.com:5061 +health unknown[^]*first[^]*second/)
  assert.match((await cli('test', '+14255550100')).out, /first[^]*second/)
  assert.match((await cli('test', '0')).out, /No route matches/)
  assert.equal((await cli('verify', 'tailspin.com')).code, 0)
  assert.match((await cli('domains')).out, /tailspin\.com +default/)
  assert.equal((await cli('verify', 'x')).code, 1)
  assert.equal((await cli('unverify', 'tailspin.com')).code, 0)
})
