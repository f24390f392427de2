import { price } from './price';

document.getElementById('app').textContent = price(1999);
