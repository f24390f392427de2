const express = require('express');
express().get('/', (q, r) => r.send(require('@repo/shared'))).listen(3000);
