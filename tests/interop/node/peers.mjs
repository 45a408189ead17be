// Other implementations verify the credentials that come as JSON on standard input, and tell how long each verification takes.
//
// Input: {"cases": [{"suite", "secured": [text, ...], "jwk"}], "documents": {URL: document}, "seconds": how long to measure each}
// Output: {"peers": [{"suite", "name", "seconds"}]}; a credential that is not accepted ends the run with status 1.
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import * as bbs2023 from '@digitalbazaar/bbs-2023-cryptosuite';
import * as ecdsaJcs2019 from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as ecdsaSd2023 from '@digitalbazaar/ecdsa-sd-2023-cryptosuite';
import {cryptosuite as eddsaRdfc2022} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import * as jose from 'jose';

const {cases, documents, seconds} = JSON.parse(readFileSync(0, 'utf8'));

const suites = {
  'eddsa-rdfc-2022': () => eddsaRdfc2022,
  'ecdsa-jcs-2019': () => ecdsaJcs2019.createVerifyCryptosuite(),
  'ecdsa-sd-2023': () => ecdsaSd2023.createVerifyCryptosuite(),
  'bbs-2023': () => bbs2023.createVerifyCryptosuite(),
};

async function documentLoader(url) {
  const document = documents[url];
  if(document === undefined) {
    throw new Error(`there is no document ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document: structuredClone(document)};
}

async function verifier({suite, jwk}) {
  if(suite === 'vc+jwt') {
    const key = await jose.importJWK(jwk, 'EdDSA');
    return token => jose.jwtVerify(token, key, {algorithms: ['EdDSA'], typ: 'vc+jwt'});
  }
  return async text => {
    const result = await vc.verifyCredential({
      credential: JSON.parse(text),
      suite: new DataIntegrityProof({cryptosuite: suites[suite]()}),
      documentLoader,
      // What other lists say is not measured.
      checkStatus: async () => ({verified: true}),
    });
    if(!result.verified) {
      throw new Error(`${suite}: ${result.error.errors?.map(String) ?? result.error}`);
    }
  };
}

function versions(suite) {
  const require = createRequire(import.meta.url);
  const name = suite === 'vc+jwt' ? 'jose' : '@digitalbazaar/vc';
  const manifest = readFileSync(require.resolve(name).replace(/(node_modules\/(?:@[^/]+\/)?[^/]+)\/.*/, '$1/package.json'));
  return `${name} ${JSON.parse(manifest).version}`;
}

const peers = [];
for(const item of cases) {
  const verify = await verifier(item);
  for(const secured of item.secured) {
    await verify(secured);
  }
  // The shortest round, as on the other side.
  let least = Infinity;
  const end = performance.now() + seconds * 1000;
  do {
    const start = performance.now();
    for(const secured of item.secured) {
      await verify(secured);
    }
    least = Math.min(least, (performance.now() - start) / 1000 / item.secured.length);
  } while(performance.now() < end);
  peers.push({suite: item.suite, name: versions(item.suite), seconds: least});
}
console.log(JSON.stringify({node: process.version, peers}));
