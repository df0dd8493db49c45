/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Made by known_answers.sh, which says how; do not edit.
 *
 * One macro per row, with a name, the password and the stored text:
 * KNOWN_CRYPT for crypt(3), KNOWN_DES for the traditional method of it,
 * KNOWN_MD5 for the digest in hexadecimal digits.
 */

/* clang-format off */

KNOWN_CRYPT("MD5", "correct horse battery staple", "$1$saltsalt$BsXyQbZiQujHkdhwPwdol.")
KNOWN_CRYPT("MD5, short salt", "correct horse battery staple", "$1$ab$BGweqrca.3UvnWSg8yFZd1")
KNOWN_CRYPT("MD5, UTF-8", "pässwörd", "$1$x./9$Bu/0ONs48j2JbXmkGQzty0")
KNOWN_CRYPT("SHA-256", "correct horse battery staple", "$5$saltstring$hixOXgchwauyzVtlSM/e7UnQx0qiTk74JE/YU53IbE0")
KNOWN_CRYPT("SHA-256, rounds", "correct horse battery staple", "$5$rounds=1400$anotherlongsalts$sw4nxJsiJXpEwiiUuqI9Tpwduvoz/aXd/SVh9LlV1c6")
KNOWN_CRYPT("SHA-512", "correct horse battery staple", "$6$saltstring$qvPJY4PeugKzKQqyIJ0gRdJnpS0uaaiZ.X1SaheFedsK/yZPwlluTLS90fJPM41sD5JxCHKgGr1..qt5HqEY8.")
KNOWN_CRYPT("SHA-512, rounds", "correct horse battery staple", "$6$rounds=1400$anotherlongsalts$DY8ofsHFwr6qUPLa1CEoQGwXJoRil1PKmXBbSOenTcLcsBy4jAfIOZdnnEP.DV9c9SkLwknNyyn0xLnV6Ykmu1")
KNOWN_CRYPT("SHA-512, UTF-8", "pässwörd", "$6$rounds=1000$a$bmRJWTr7JaqqIgyNhAPuLaVT5tp5GB7yXu9SfIfIyoOv3VUVNbnkPDD2Oa9CPyWI9.sOPARNqePbAh2d.Ersz1")
KNOWN_DES("DES", "Tr0ub4d", "abhqWgdm30m6k")
KNOWN_DES("DES, eight characters", "Tr0ub4d!", "./OqnAxNZkyzo")
KNOWN_DES("DES, more than it looks at", "Tr0ub4d!", "z9YIsklT3hV7g")
KNOWN_CRYPT("DES of many blocks", "correct horse battery staple", "abhfCpXqd4GrIatlJWV.Y872j79ay.DzBsAH3LRqLoARLU")
KNOWN_CRYPT("BSDi", "correct horse battery staple", "_v/..k/.AEpBSYugrBD6")
KNOWN_CRYPT("SHA-1", "correct horse battery staple", "$sha1$480$iVdJqfSE$1pV9Q8cPed5ywN.7wVCIRWgqikdv")
KNOWN_CRYPT("Sun MD5", "correct horse battery staple", "$md5$RPgLF6IJ$$IAWLZwiSw.CETmtnCIL5y1")
KNOWN_CRYPT("Sun MD5, rounds", "correct horse battery staple", "$md5,rounds=904$GUBv0xjJ$$yHRKhdy0NgmMN8limuql51")
KNOWN_CRYPT("NT", "correct horse battery staple", "$3$$1b9d5effd34ac283c8efe2eacaea8bbc")
KNOWN_CRYPT("bcrypt, 2a", "correct horse battery staple", "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG")
KNOWN_CRYPT("bcrypt, 2b", "correct horse battery staple", "$2b$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG")
KNOWN_CRYPT("bcrypt, 2y", "correct horse battery staple", "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG")
KNOWN_CRYPT("bcrypt, UTF-8", "pässwörd", "$2b$05$./ABCDEFGHIJKLMNOPQRSuhGWWhknEpU2ZhqXdmBbme9VuwRs0Vb2")
KNOWN_CRYPT("scrypt", "correct horse battery staple", "$7$46..../....SodiumChloride$s11WGHKgvfcB7ELUeO2Tqc2jtAnfB.TMGxs0fYodfy2")
KNOWN_CRYPT("bcrypt, published 2a", "U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a")
KNOWN_CRYPT("bcrypt, published 2y", "\377\377\243", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e")
KNOWN_CRYPT("scrypt, published", "pleaseletmein", "$7$06..../....SodiumChloride$ENlyo6fGw4PCcDBOFepfSZjFUnVatHzCcW55.ZGz3B0")
KNOWN_CRYPT("yescrypt", "pleaseletmein", "$y$j//$LdJMENpBABJJ3hIHjB1B$U8a2MaK.yesqWySK8Owk6PWeWmp/XuagMbpP45q1/q1")
KNOWN_CRYPT("yescrypt, parallel", "pleaseletmein", "$y$j1../$LdJMENpBABJJ3hIHjB1Bi.$L8OQFc8mxJPd7CpUFgkS7KqJM2I9jGXu3BdqX2D.647")
KNOWN_CRYPT("yescrypt, short salt", "pleaseletmein", "$y$j2..1$LdJME/$iLEt6kuTwHch6XdCxtTHfsQzYwWFmpUwgl6Ax8RH4d1")
KNOWN_CRYPT("gost-yescrypt", "pleaseletmein", "$gy$j9T$.......$yPMvF1AQ4HzCxBqCADRRM4wpsh9sOAHRICpnl3b0ey9")
KNOWN_MD5("digest of a", "a", "0cc175b9c0f1b6a831c399e269772661")
KNOWN_MD5("digest of message digest", "message digest", "f96b697d7cb7938d525a2f31aaf161d0")
KNOWN_MD5("digest of pässwörd", "pässwörd", "12841e4ba5e37d2fbfc78458c6714ade")
KNOWN_MD5("digest of correct horse battery staple", "correct horse battery staple", "9cc2ae8a1ba7a93da39b46fc1019c481")
