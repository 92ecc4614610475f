// See test_damaged_snapshot.sh.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ask, newFolder, operatorKey, serve, start } from './server.mjs'

const hook = createServer((rq, rs) => {
  let text = ''
  rq.on('data', (piece) => { text += piece })
  rq.on('end', () => rs.end(JSON.stringify({ validationResponse: JSON.parse(text)[0].data.validationCode })))
})
await new Promise((listening) => hook.listen(0, '127.0.0.1', listening))

const folder = newFolder(), shelf = join(folder, 'data', 'snapshots'), server = await serve(folder, 10)
const own = (method, path, body) => ask(server, operatorKey(folder), method, `/carterfone/v1/${path}`, body)
assert.equal((await own('POST', 'accounts', { name: 'kept', offer: 'payg', billingCountry: 'US' })).status, 201)
assert.equal((await own('POST', 'eventSubscriptions', { endpointUrl: `http://127.0.0.1:${hook.address().port}/`, name: 'one' })).status, 201)
assert.equal((await own('POST', 'snapshots', { name: 'good' })).status, 201)

const good = readFileSync(join(shelf, 'good.snapshot'))
const file = (name, octets) => writeFileSync(join(shelf, `${name}.snapshot`), octets)
function edited(name, sql) {
  file(name, good)
  const db = new DatabaseSync(join(shelf, `${name}.snapshot`))
  db.exec(sql)
  db.close()
}
file('empty', '')
file('text', 'this is no database')
file('half', good.subarray(0, good.length / 2))
file('header', good.subarray(0, 100))
file('zeros', Buffer.concat([good.subarray(0, 4096), Buffer.alloc(good.length - 4096)]))
edited('no-table', 'DROP TABLE message')
edited('no-clock', "UPDATE snapshot_part SET value = 'soon' WHERE name = 'product_us'")
edited('no-end-of-time', "UPDATE snapshot_part SET value = '9223372036854775807' WHERE name = 'product_us'")
edited('no-key', "UPDATE meta SET value = 'zz' WHERE name = 'id_key'")
mkdirSync(join(shelf, 'folder.snapshot'))
symlinkSync('/etc/hostname', join(shelf, 'elsewhere.snapshot'))
for (const name of ['empty', 'text', 'half', 'header', 'zeros', 'no-table', 'no-clock', 'no-end-of-time', 'no-key', 'folder', 'elsewhere']) {
  const answer = await own('POST', `snapshots/${name}/:restore`)
  assert.equal(answer?.status, 503, `${name}: ${answer?.text}`)
  assert.ok(answer.json.error.message, name)
  assert.equal((await own('GET', 'accounts/kept')).status, 200, `after ${name}`)
}
assert.equal((await own('POST', 'snapshots/good/:restore')).status, 200)

// the folder is deleted under it: the next snapshot makes it again
rmSync(shelf, { recursive: true })
assert.equal((await own('POST', 'snapshots/good/:restore')).status, 404)
assert.equal((await own('POST', 'snapshots', { name: 'again' })).status, 201)
assert.equal((await own('POST', 'snapshots/again/:restore')).status, 200)

// rows that nobody can load: known only when the old state has gone
edited('bad-rows', "UPDATE event_subscription SET filter = '{bad'")
const ended = new Promise((gone) => server.child.once('exit', gone))
assert.equal((await own('POST', 'snapshots/bad-rows/:restore'))?.status, 500)
assert.equal(await ended, 1)
await assert.rejects(start(folder, ['serve', '--data', join(folder, 'data'), '--listen', '127.0.0.1:0'], 'server'), /did not start/)
console.log('# 11 damaged snapshots were refused, one could not be loaded')
process.exit(0)
