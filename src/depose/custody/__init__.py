"""What happens to a case after it was asked: time-stamps, keys, seal, bundle, verification, redaction, replication.

A package of small modules, because they share one format and nothing below the pipeline needs it. A bundle holds

    SEAL, SEAL.sig                     digests of SHA256SUMS, COMMITMENT and their tokens, and the signature over them
    SHA256SUMS, .tsq, .tsr             digest of every other file; request and token of a time-stamping authority
    COMMITMENT, .tsq, .tsr             salted root over all files, by which copies are proved, and its token
    SALTS                              the secret from which all salts follow; never in a copy
    seal.json, signer.pem              what was sealed, and the public key
    statement.json                     the findings as an in-toto statement, signed (DSSE)
    VERIFY.md, VERIFY.py, SCORE.py     how to check all this, and to score again, without depose
    COPY.py                            how to check a copy or a single record without depose
    case.toml, evidence/, out/         the case

The signature is over SEAL and not over SHA256SUMS, because a token has bytes that its own signature does not cover.
"""
