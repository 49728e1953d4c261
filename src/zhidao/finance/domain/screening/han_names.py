"""How names in Chinese characters are read in Korean and Japanese, as far as a small table knows.

The readings are facts of the languages: the usual spellings of the commonest family names and of
characters frequent in given names. A name with a character that is not here has no such reading;
its Mandarin reading comes from pypinyin in any case.
"""

from __future__ import annotations

from functools import cache
from typing import Final

# Korean: a syllable and the characters (traditional and simplified) that are read so.
_KOREAN: Final = """
kim金 lee李 park朴 choi崔 jung鄭丁郑 kang姜康强强剛 cho趙曺赵 yoon尹 jang張章張张 lim林任
han韓韩漢 oh吳吴五 seo徐西書 shin申辛信新 kwon權权 hwang黃黄 ahn安 song宋松 ryu柳劉刘 hong洪弘
ko高 moon文 yang梁楊杨陽 son孫孙 bae裵裴培 baek白伯 heo許许 nam南男 sim沈 noh盧卢 ha河夏 kwak郭
sung成星聖圣城盛聲 cha車车 joo周朱柱珠 woo禹友宇雨 koo具丘九 min閔民敏 jin陳陈秦眞真珍鎭晋晉
ji池智志地知芝 eom嚴严 won元源遠媛 chae蔡采 cheon千天泉 bang方芳 gong孔公 hyun玄賢贤鉉顯炫現
ham咸 byun卞邊 yeom廉 yeo呂余如 chu秋樞 do都道度 seok石錫碩 seon宣善仙先 gil吉 wi魏偉 pyo表
myung明名命 ki奇基起 ra羅 jong鍾钟宗正 un恩銀银運 il一日逸 eun恩銀 jeong正靜貞政廷
young永英榮荣泳映 cheol哲鐵铁 su秀洙壽秀水守 ho浩鎬虎湖昊 hee姬熙喜希 kyung慶京敬庚景
jae在載宰才 hwan煥桓歡 kyu奎圭 tae泰太 dong東东棟 sang相尙商 chang昌昶 sik植式 hyuk赫 geun根槿近
hye惠慧 mi美 sook淑 sun順 ja子 ok玉 yeon延淵姸 in仁寅 ui義 gu求九 hak學 pil弼 dae大 seung承勝昇
jun俊準峻 hoon勳勋訓 gyu奎 won元 bong奉鳳 hui熙 chun春 nyeo女 rim林 ryong龍 ryol烈 gwang光廣
myong明 sol雪 ju主州 yong龍龙勇容庸鎔
""".split()

# Japanese family and given names with their reading, long vowels short.
_JAPANESE_FAMILY: Final = """
sato佐藤 suzuki鈴木 takahashi高橋 tanaka田中 ito伊藤 watanabe渡辺 watanabe渡邊 yamamoto山本
nakamura中村 kobayashi小林 kato加藤 yoshida吉田 yamada山田 sasaki佐々木 yamaguchi山口
matsumoto松本 inoue井上 kimura木村 hayashi林 shimizu清水 saito斎藤 saito齋藤 yamazaki山崎 mori森
ikeda池田 hashimoto橋本 abe阿部 abe安倍 ishikawa石川 yamashita山下 nakajima中島 ishii石井
ogawa小川 maeda前田 okada岡田 hasegawa長谷川 fujita藤田 goto後藤 kondo近藤 murakami村上 endo遠藤
aoki青木 sakamoto坂本 fujii藤井 nishimura西村 fukuda福田 ota太田 miura三浦 okamoto岡本
matsuda松田 nakagawa中川 nakano中野 harada原田 ono小野 tamura田村 takeuchi竹内 kaneko金子
wada和田 nakayama中山 ishida石田 ueda上田 morita森田 hara原 shibata柴田 sakai酒井 kudo工藤
yokoyama横山 miyazaki宮崎 miyamoto宮本 uchida内田 takagi高木 ando安藤 taniguchi谷口 ohno大野
maruyama丸山 imai今井 takada高田 fujimoto藤本 takeda武田 murata村田 ueno上野 sugiyama杉山
masuda増田 sugawara菅原 hirano平野 kishida岸田 suga菅 koizumi小泉 noda野田 hatoyama鳩山 aso麻生
ishiba石破
""".split()
_JAPANESE_GIVEN: Final = """
taro太郎 jiro次郎 jiro二郎 saburo三郎 ichiro一郎 hanako花子 kenji健二 kenji賢治 hiroshi浩
hiroshi博 takashi隆 takashi孝 makoto誠 kazuo和夫 yoshio義雄 shinzo晋三 junichiro純一郎 fumio文雄
yoshihide義偉 keiko恵子 yoko洋子 kyoko京子 sachiko幸子 kazuko和子 yumiko由美子 naoko直子
akiko明子 yoshiko良子 michiko美智子 haruki春樹 haruto陽翔 yuki由紀 satoshi聡 manabu学 minoru実
masao正男 masaru勝 isamu勇 osamu修 susumu進 hideki英樹 naoki直樹 kazuki和樹 daisuke大輔
kenta健太 shota翔太 takuya拓也 tatsuya達也 tetsuya哲也 akira明 akira晃 mamoru守 shigeru茂
aiko愛子 mai舞 sakura桜 misaki美咲 ayumi歩 emi恵美 tomoko智子 noriko紀子 hiroko弘子 masako雅子
ryota亮太 yuta雄太 shinji真司 koji浩二 yuji裕二
""".split()


def _split(word: str) -> tuple[str, str]:
    latin = word.rstrip("".join(letter for letter in word if not letter.isascii()))
    return latin, word[len(latin) :]


@cache
def _korean() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for word in _KOREAN:
        latin, letters = _split(word)
        for letter in letters:
            if latin not in found.get(letter, ()):
                found[letter] = (*found.get(letter, ()), latin)
    return found


@cache
def _japanese() -> tuple[dict[str, str], dict[str, str]]:
    family, given = (
        {letters: latin for latin, letters in map(_split, words)}
        for words in (_JAPANESE_FAMILY, _JAPANESE_GIVEN)
    )
    return family, given


def korean_readings(name: str) -> tuple[tuple[str, ...], ...]:
    """A Korean name of two to four characters, family name first; at most four readings.

    >>> korean_readings("金正恩")[0]
    ('kim', 'jong', 'un')
    """
    table = _korean()
    if not 2 <= len(name) <= 4 or any(letter not in table for letter in name):
        return ()
    readings: list[tuple[str, ...]] = [(table[name[0]][0],)]
    for letter in name[1:]:
        readings = [(*before, latin) for before in readings for latin in table[letter][:2]]
    return tuple(readings[:4])


def japanese_readings(name: str) -> tuple[tuple[str, ...], ...]:
    """A Japanese name whose family name and given name both are in the table.

    >>> japanese_readings("山田太郎")
    (('yamada', 'taro'),)
    """
    family, given = _japanese()
    return tuple(
        (family[name[:cut]], given[name[cut:]])
        for cut in range(1, min(len(name), 4))
        if name[:cut] in family and name[cut:] in given
    )
