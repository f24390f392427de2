import express from 'express';
import k from 'kleur';
express().get('/', (q, r) => r.send(k.green('x'))).listen(3000);
