//! Signed notes: the example of the format's first implementation, and what is refused.

use super::*;

/// The example of <https://pkg.go.dev/golang.org/x/mod/sumdb/note>, whose private key is public.
const NAME: &str = "PeterNeumann";
const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const PUBLIC: &str = "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const KEY_ID: [u8; 4] = [0xc7, 0x4f, 0x20, 0xa3];
const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                    then you don't know what your problem is.\n";
const SIGNATURE: &str = "\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUg\
                         YN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// PKCS #8 of a seed, as `openssl genpkey` writes it.
fn private_pem(seed: &[u8]) -> String {
    let begin = [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04];
    let der = [&begin[..], &[0x22, 0x04, 0x20], seed].concat();
    let base64 = STANDARD.encode(der);
    format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n")
}

fn key() -> SigningKey {
    let seed = STANDARD.decode(SEED).expect("base64");
    SigningKey::from_pem(&private_pem(&seed[1..])).expect("a key")
}

fn another_key() -> SigningKey {
    SigningKey::from_pem(&private_pem(&[7; 32])).expect("a key")
}

fn note() -> String {
    format!("{TEXT}\n{SIGNATURE}")
}

#[test]
fn the_example_of_the_format_is_written_and_opened() {
    let public = STANDARD.decode(PUBLIC).expect("base64");
    assert_eq!(key().verifying_key().0, public[1..]);
    assert_eq!(key().verifying_key().id(NAME), KEY_ID);
    assert_eq!(key().sign(NAME, TEXT), note());
    assert_eq!(open_note(&note(), NAME, &[key().verifying_key()]), Ok(TEXT));
}

#[test]
fn a_note_with_any_changed_byte_is_not_believed() {
    let keys = [key().verifying_key()];
    for place in 0..note().len() {
        for change in [1, 0x20, 0x80] {
            let mut bytes = note().into_bytes();
            bytes[place] ^= change;
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            let opened = open_note(&changed, NAME, &keys);
            assert!(opened.is_err(), "byte {place}: {changed}");
        }
    }
    for cut in (0..note().len()).filter(|cut| note().is_char_boundary(*cut)) {
        assert!(open_note(&note()[..cut], NAME, &keys).is_err(), "cut after {cut} bytes");
    }
    assert!(open_note(&format!("{}\n", note()), NAME, &keys).is_err());
    assert!(open_note(&format!("\n{}", note()), NAME, &keys).is_err());
}

#[test]
fn a_key_opens_what_it_has_signed_under_this_name() {
    let (ours, other) = (key(), another_key());
    let open = |note: &str, name: &str, keys: &[VerifyingKey]| {
        open_note(note, name, keys).map(str::to_owned)
    };
    let keys = [other.verifying_key(), ours.verifying_key()];
    assert_eq!(open(&note(), NAME, &keys), Ok(TEXT.to_owned()), "one of two keys");
    let foreign = open(&note(), NAME, &keys[..1]);
    assert_eq!(foreign, Err(InvalidNote::UnknownKey), "another key");
    assert_eq!(open(&note(), "ledger/chains", &keys), Err(InvalidNote::UnknownKey));
    assert_eq!(open(&note(), NAME, &[]), Err(InvalidNote::UnknownKey), "no key");
    let renamed = note().replace("PeterNeumann", "JohnNeumann");
    assert_eq!(open(&renamed, NAME, &keys), Err(InvalidNote::UnknownKey));
    assert_eq!(open(&renamed, "JohnNeumann", &keys), Err(InvalidNote::UnknownKey));

    let line = other.sign(NAME, TEXT).replace(&format!("{TEXT}\n"), "");
    let both = format!("{}{line}", note());
    assert_eq!(open(&both, NAME, &keys[..1]), Ok(TEXT.to_owned()));
    assert_eq!(open(&both, NAME, &keys[1..]), Ok(TEXT.to_owned()));
    let other_text = other.sign(NAME, "x\n").replace("x\n\n", "");
    let one_wrong = format!("{}{other_text}", note());
    assert_eq!(open(&one_wrong, NAME, &keys), Err(InvalidNote::WrongSignature));
}

#[test]
fn a_note_is_bounded() {
    let keys = [key().verifying_key()];
    let many = |count: usize| format!("{TEXT}\n{}", SIGNATURE.repeat(count));
    assert_eq!(open_note(&many(SIGNATURES_MAX), NAME, &keys), Ok(TEXT));
    let refused = open_note(&many(SIGNATURES_MAX + 1), NAME, &keys).map(str::to_owned);
    assert_eq!(refused, Err(InvalidNote::Malformed));
    let long = key().sign(NAME, &format!("{}\n", "x".repeat(NOTE_BYTES_MAX)));
    assert_eq!(open_note(&long, NAME, &keys), Err(InvalidNote::Malformed));
    let control = note().replace("cryptography", "crypto\tgraphy");
    assert_eq!(open_note(&control, NAME, &keys), Err(InvalidNote::Malformed));
}

#[test]
fn keys_are_read_from_pem_and_nothing_else_is_one() {
    let (ours, other) = (key().verifying_key(), another_key().verifying_key());
    assert_eq!(VerifyingKey::all_from_pem(&ours.to_string()), Ok(vec![ours]));
    let both = format!("{ours}{other}");
    assert_eq!(VerifyingKey::all_from_pem(&both), Ok(vec![ours, other]));
    let private = private_pem(&[7; 32]);
    let rsa = "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK==\n\
               -----END PUBLIC KEY-----\n";
    for wrong in ["", "x", &private, rsa, &ours.to_string().replace("MCow", "MCoX")] {
        assert_eq!(VerifyingKey::all_from_pem(wrong), Err(InvalidKey::Public), "{wrong}");
    }
    for wrong in ["", "x", &ours.to_string(), &private.replace("MC4C", "MC4D")] {
        assert!(SigningKey::from_pem(wrong).is_err(), "{wrong}");
    }
}
