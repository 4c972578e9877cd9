//! Signatures of webhooks, as Standard Webhooks 1.0 defines them. Promise: a receiver that has the
//! key can tell that a request is the bank's, new and unchanged.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::recipients::SigningKey;

/// The header `webhook-signature`: one signature for each key, so that a receiver with any of the
/// keys can check the request. A key that comes twice signs once. `timestamp` is the time of the
/// attempt, in seconds since 1970.
pub(super) fn signature_header(
    keys: &[&SigningKey],
    id: &str,
    timestamp: i64,
    body: &str,
) -> String {
    let mut signatures: Vec<String> = Vec::with_capacity(keys.len());
    for key in keys {
        let signature = sign(key, id, timestamp, body);
        if !signatures.contains(&signature) {
            signatures.push(signature);
        }
    }
    signatures.join(" ")
}

fn sign(key: &SigningKey, id: &str, timestamp: i64, body: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key.bytes()).expect("HMAC takes keys of any length");
    let signed = mac.chain_update(format!("{id}.{timestamp}.{body}")).finalize();
    format!("v1,{}", STANDARD.encode(signed.into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        let published = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let key = SigningKey::try_new(published).expect("a published secret");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let signature = sign(&key, id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn each_key_signs_once() {
        let key = |byte| SigningKey::try_from_bytes(vec![byte; 24]).expect("24 bytes");
        let (new, old) = (key(1), key(2));
        let header = signature_header(&[&new, &old, &new], "msg", 1, "{}");
        let each = [sign(&new, "msg", 1, "{}"), sign(&old, "msg", 1, "{}")];
        assert_eq!(header, each.join(" "));
    }
}
