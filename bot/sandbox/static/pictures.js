// Sample pictures, painted here so that the demo needs no files and no network.

/** Paint on a canvas and pack it as the commands want a file. */
function painted(name, type, paint) {
  return async () => {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 480;
    paint(canvas.getContext("2d"), canvas.width, canvas.height);
    return { name, type, data: canvas.toDataURL(type, 0.85).split(",")[1] };
  };
}

function sky(brush, width, height, top, bottom) {
  const gradient = brush.createLinearGradient(0, 0, 0, height);
  gradient.addColorStop(0, top);
  gradient.addColorStop(1, bottom);
  brush.fillStyle = gradient;
  brush.fillRect(0, 0, width, height);
}

function disc(brush, x, y, radius, colour) {
  brush.fillStyle = colour;
  brush.beginPath();
  brush.arc(x, y, radius, 0, Math.PI * 2);
  brush.fill();
}

function shape(brush, colour, points) {
  brush.fillStyle = colour;
  brush.beginPath();
  points.forEach(([x, y], index) => (index ? brush.lineTo(x, y) : brush.moveTo(x, y)));
  brush.closePath();
  brush.fill();
}

function mountains(brush, width, height) {
  sky(brush, width, height, "#f6b28f", "#f9e2c7");
  disc(brush, 470, 150, 52, "#fff4dc");
  shape(brush, "#9a7f9f", [[0, 330], [150, 170], [270, 300], [400, 140], [560, 310], [640, 250], [640, 480], [0, 480]]);
  shape(brush, "#5f6b8c", [[0, 400], [120, 300], [260, 390], [430, 270], [640, 400], [640, 480], [0, 480]]);
  shape(brush, "#38476b", [[0, 450], [220, 390], [420, 440], [640, 380], [640, 480], [0, 480]]);
}

function parcel(brush, width, height) {
  sky(brush, width, height, "#dfe7ea", "#b9c6cb");
  shape(brush, "#8d9aa0", [[0, 380], [640, 350], [640, 480], [0, 480]]);
  shape(brush, "#c58f5a", [[170, 220], [330, 270], [330, 430], [170, 370]]);
  shape(brush, "#a9743f", [[330, 270], [490, 210], [490, 360], [330, 430]]);
  shape(brush, "#dcae7c", [[170, 220], [320, 170], [490, 210], [330, 270]]);
  shape(brush, "#f1dcb6", [[240, 196], [262, 189], [420, 238], [398, 245]]);
  shape(brush, "#6b3f1c", [[205, 300], [250, 285], [228, 330], [268, 345], [232, 372], [214, 338]]);
}

function receipt(brush, width, height) {
  sky(brush, width, height, "#49536b", "#2f374b");
  brush.fillStyle = "#fbfaf5";
  brush.fillRect(200, 40, 240, 400);
  brush.fillStyle = "#28303f";
  brush.font = "bold 22px system-ui, sans-serif";
  brush.fillText("RECEIPT", 268, 84);
  brush.font = "15px ui-monospace, monospace";
  [["Filter", "24.00"], ["Hose 2 m", "18.50"], ["Clamp x4", "6.00"], ["Labour", "80.00"]].forEach(([what, price], row) => {
    brush.fillText(what, 224, 136 + row * 34);
    brush.fillText(price, 366, 136 + row * 34);
  });
  brush.fillRect(224, 268, 192, 2);
  brush.font = "bold 18px ui-monospace, monospace";
  brush.fillText("Total", 224, 304);
  brush.fillText("128.50", 348, 304);
  for (let bar = 0; bar < 40; bar += 1) brush.fillRect(226 + bar * 4.7, 350, bar % 3 === 0 ? 3 : 1.5, 54);
}

/** What the phone offers: `{label, make}`; `make()` resolves to a packed file. */
export const SAMPLES = [
  { label: "🏔️  Sunset photo", make: painted("sunset.jpg", "image/jpeg", mountains) },
  { label: "📦  Damaged parcel", make: painted("parcel.jpg", "image/jpeg", parcel) },
  { label: "🧾  Receipt", make: painted("receipt.png", "image/png", receipt) },
];
