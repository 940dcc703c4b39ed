// Emoji by the names that Slack uses for them: those in common use, derived from emoji-data by Cal Henderson (MIT licence).

const PAIRS = `
hourglass_flowing_sand ⏳ hourglass ⌛ white_check_mark ✅ heavy_check_mark ✔️ ballot_box_with_check ☑️ grey_question ❔ question ❓
bangbang ‼️ interrobang ⁉️ exclamation ❗ grey_exclamation ❕ x ❌ negative_squared_cross_mark ❎ warning ⚠️ memo 📝 no_entry ⛔
no_entry_sign 🚫 octagonal_sign 🛑 +1 👍 thumbsup 👍 -1 👎 thumbsdown 👎 heart ❤️ hearts ♥️ joy 😂 rolling_on_the_floor_laughing 🤣
laughing 😆 pencil2 ✏️ pencil 📝 eyes 👀 eye 👁️ mute 🔇 no_bell 🔕 bell 🔔 speaker 🔈 loud_sound 🔊 sound 🔉 iphone 📱 telephone ☎️
telephone_receiver 📞 calling 📲 phone ☎️ incoming_envelope 📨 envelope ✉️ email ✉️ e-mail 📧 inbox_tray 📥 outbox_tray 📤 mailbox 📫
package 📦 camera 📷 camera_with_flash 📸 frame_with_picture 🖼️ paperclip 📎 link 🔗 lock 🔒 unlock 🔓 key 🔑 clock1 🕐 clock9 🕘
alarm_clock ⏰ stopwatch ⏱️ timer_clock ⏲️ calendar 📆 date 📅 spiral_calendar_pad 🗓️ crescent_moon 🌙 sunny ☀️ sunrise 🌅
partly_sunny ⛅ cloud ☁️ rain_cloud 🌧️ umbrella ☂️ snowflake ❄️ zap ⚡ fire 🔥 rainbow 🌈 star ⭐ star2 🌟 sparkles ✨ dizzy 💫 boom 💥
100 💯 tada 🎉 confetti_ball 🎊 balloon 🎈 gift 🎁 birthday 🎂 cake 🍰 trophy 🏆 medal 🎖️ first_place_medal 🥇 rocket 🚀 airplane ✈️ car 🚗
bus 🚌 truck 🚚 ambulance 🚑 house 🏠 office 🏢 hospital 🏥 school 🏫 bank 🏦 hotel 🏨 smile 😄 smiley 😃 grinning 😀 grin 😁 sweat_smile 😅
slightly_smiling_face 🙂 upside_down_face 🙃 wink 😉 blush 😊 innocent 😇 smiling_face_with_3_hearts 🥰 heart_eyes 😍 star-struck 🤩
kissing_heart 😘 yum 😋 stuck_out_tongue 😛 zany_face 🤪 hugging_face 🤗 thinking_face 🤔 zipper_mouth_face 🤐 neutral_face 😐
expressionless 😑 no_mouth 😶 smirk 😏 unamused 😒 face_with_rolling_eyes 🙄 grimacing 😬 relieved 😌 pensive 😔 sleepy 😪 sleeping 😴
mask 😷 face_with_thermometer 🤒 hot_face 🥵 cold_face 🥶 exploding_head 🤯 partying_face 🥳 sunglasses 😎 nerd_face 🤓 confused 😕
worried 😟 slightly_frowning_face 🙁 open_mouth 😮 astonished 😲 flushed 😳 pleading_face 🥺 fearful 😨 cry 😢 sob 😭 scream 😱 weary 😩
tired_face 😫 triumph 😤 rage 😡 angry 😠 skull 💀 hankey 💩 poop 💩 clown_face 🤡 ghost 👻 alien 👽 robot_face 🤖 wave 👋 raised_hand ✋
hand ✋ ok_hand 👌 v ✌️ crossed_fingers 🤞 call_me_hand 🤙 point_left 👈 point_right 👉 point_up ☝️ point_down 👇 middle_finger 🖕 fist ✊
facepunch 👊 clap 👏 raised_hands 🙌 open_hands 👐 handshake 🤝 pray 🙏 writing_hand ✍️ muscle 💪 orange_heart 🧡 yellow_heart 💛
green_heart 💚 blue_heart 💙 purple_heart 💜 black_heart 🖤 white_heart 🤍 broken_heart 💔 two_hearts 💕 sparkling_heart 💖
bust_in_silhouette 👤 busts_in_silhouette 👥 speech_balloon 💬 thought_balloon 💭 left_speech_bubble 🗨️ mega 📣 loudspeaker 📢 dog 🐶
cat 🐱 mouse 🐭 rabbit 🐰 bear 🐻 panda_face 🐼 tiger 🐯 lion_face 🦁 cow 🐮 pig 🐷 frog 🐸 monkey_face 🐵 see_no_evil 🙈 hear_no_evil 🙉
speak_no_evil 🙊 chicken 🐔 penguin 🐧 bird 🐦 unicorn_face 🦄 bee 🐝 butterfly 🦋 snail 🐌 turtle 🐢 snake 🐍 whale 🐳 dolphin 🐬 fish 🐟
octopus 🐙 bouquet 💐 cherry_blossom 🌸 rose 🌹 sunflower 🌻 tulip 🌷 herb 🌿 four_leaf_clover 🍀 maple_leaf 🍁 evergreen_tree 🌲
palm_tree 🌴 cactus 🌵 apple 🍎 banana 🍌 watermelon 🍉 strawberry 🍓 lemon 🍋 peach 🍑 tomato 🍅 avocado 🥑 bread 🍞 cheese_wedge 🧀
hamburger 🍔 fries 🍟 pizza 🍕 hotdog 🌭 taco 🌮 burrito 🌯 egg 🥚 popcorn 🍿 icecream 🍦 doughnut 🍩 cookie 🍪 chocolate_bar 🍫 coffee ☕
tea 🍵 beer 🍺 beers 🍻 wine_glass 🍷 cocktail 🍸 soccer ⚽ basketball 🏀 football 🏈 tennis 🎾 dart 🎯 video_game 🎮 guitar 🎸
musical_note 🎵 notes 🎶 art 🎨 movie_camera 🎥 computer 💻 keyboard ⌨️ desktop_computer 🖥️ printer 🖨️ floppy_disk 💾 mag 🔍 mag_right 🔎
bulb 💡 flashlight 🔦 wrench 🔧 hammer 🔨 hammer_and_wrench 🛠️ gear ⚙️ scissors ✂️ clipboard 📋 pushpin 📌 round_pushpin 📍 bookmark 🔖
books 📚 book 📖 newspaper 📰 money_with_wings 💸 dollar 💵 credit_card 💳 chart_with_upwards_trend 📈 chart_with_downwards_trend 📉
bar_chart 📊 arrow_left ⬅️ arrow_right ➡️ arrow_up ⬆️ arrow_down ⬇️ arrow_right_hook ↪️ leftwards_arrow_with_hook ↩️
arrows_counterclockwise 🔄 repeat 🔁 information_source ℹ️ new 🆕 free 🆓 ok 🆗 sos 🆘 construction 🚧 rotating_light 🚨 traffic_light 🚥
white_circle ⚪ black_circle ⚫ red_circle 🔴 large_blue_circle 🔵 large_green_circle 🟢 large_yellow_circle 🟡 large_orange_circle 🟠
white_large_square ⬜ black_large_square ⬛ one 1️⃣ two 2️⃣ three 3️⃣ four 4️⃣ five 5️⃣ six 6️⃣ seven 7️⃣ eight 8️⃣ nine 9️⃣
zero 0️⃣ keycap_ten 🔟 heavy_plus_sign ➕ heavy_minus_sign ➖ recycle ♻️ copyright ©️ registered ®️ tm ™️ wheelchair ♿
simple_smile 🙂
`;

const words = PAIRS.trim().split(/\s+/);

/** Name -> character. */
export const EMOJI = new Map();
for (let i = 0; i < words.length; i += 2) EMOJI.set(words[i], words[i + 1]);
