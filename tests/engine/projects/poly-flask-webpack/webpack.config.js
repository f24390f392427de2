const path = require('path');
const fs = require('fs');

class Manifest {
  apply(compiler) {
    compiler.hooks.done.tap('Manifest', (stats) => {
      const out = {};
      for (const [name, files] of Object.entries(stats.toJson().assetsByChunkName)) out[name] = files[0];
      fs.writeFileSync(path.join(__dirname, 'static', 'manifest.json'), JSON.stringify(out));
    });
  }
}

module.exports = {
  mode: 'production',
  entry: './frontend/index.js',
  output: { path: path.join(__dirname, 'static'), filename: '[name].[contenthash:8].js' },
  plugins: [new Manifest()],
};
