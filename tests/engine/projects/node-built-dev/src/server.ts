import express from 'express';
import k from 'kleur';
express().get('/', (q: any, r: any) => r.send(k.green('x'))).listen(3000);
