"""Names for made-up people, by language. Where it is not the same in lower case, the spelling used in addresses
stands behind a slash."""

from __future__ import annotations

from typing import NamedTuple


class Culture(NamedTuple):
    """`share`: of a hundred people."""

    share: int
    language: str
    time_zone: str
    towns: str
    first: str
    last: str


CULTURES = (
    Culture(
        38,
        "en",
        "America/New_York",
        "Boston,Chicago,Denver,Seattle,Austin,Portland,Atlanta,Detroit,Phoenix,Nashville",
        "Olivia Liam Emma Noah Ava James Sophia Henry Grace Lucas Hannah Owen Ruby Ethan Chloe Jack Nora Caleb Alice "
        "Wyatt Stella Isaac Hazel Julian Violet Miles Audrey Felix Naomi Simon Mary-Ann/maryann Jean-Luc/jeanluc",
        "Smith Johnson Brown Davis Miller Wilson Moore Taylor Anderson Thomas Jackson White Harris Martin Thompson "
        "Young Allen King Wright Scott Hill Green Adams Baker Nelson Carter O'Brien/obrien O'Neill/oneill "
        "McDonald Smith-Jones/smithjones",
    ),
    Culture(
        18,
        "uk",
        "Europe/Kyiv",
        "Київ,Львів,Харків,Одеса,Дніпро,Чернівці,Полтава,Вінниця,Ужгород,Суми",
        "Олена/olena Андрій/andrii Ірина/iryna Тарас/taras Оксана/oksana Микола/mykola Наталя/natalia Богдан/bohdan "
        "Соломія/solomiia Дмитро/dmytro Катерина/kateryna Юрій/yurii Мар'яна/mariana Сергій/serhii Леся/lesia "
        "Остап/ostap Ярина/yaryna Степан/stepan Дарина/daryna Гнат/hnat",
        "Шевченко/shevchenko Коваль/koval Бондар/bondar Ткачук/tkachuk Кравець/kravets Мельник/melnyk Поліщук/polishchuk "
        "Гончар/honchar Лисенко/lysenko Савчук/savchuk Мороз/moroz Руденко/rudenko Дем'яненко/demianenko "
        "Прокопчук/prokopchuk Левченко/levchenko Нечуй-Левицький/nechui-levytskyi",
    ),
    Culture(
        8,
        "de",
        "Europe/Berlin",
        "Berlin,Hamburg,München,Köln,Leipzig,Bremen,Graz,Zürich",
        "Anna Jonas Lena Felix Marie Paul Sophie Lukas Käthe/kaethe Jürgen/juergen Ute Götz/goetz Heidi Matthias",
        "Müller/mueller Schmidt Schneider Fischer Weber Wagner Becker Schulz Hoffmann Koch Bauer Größl/groessl Vogel",
    ),
    Culture(
        7,
        "es",
        "Europe/Madrid",
        "Madrid,Sevilla,Valencia,Bilbao,Córdoba,Bogotá,Lima",
        "Lucía/lucia Mateo Sofía/sofia Hugo Martina Pablo Inés/ines Álvaro/alvaro Elena Joaquín/joaquin Begoña/begona",
        "García/garcia López/lopez Sánchez/sanchez Pérez/perez Ruiz Moreno Núñez/nunez Castro Ortega Ibáñez/ibanez",
    ),
    Culture(
        6,
        "pl",
        "Europe/Warsaw",
        "Warszawa,Kraków,Gdańsk,Wrocław,Poznań,Łódź",
        "Zofia Jakub Julia Łukasz/lukasz Maja Michał/michal Hanna Stanisław/stanislaw Agnieszka Paweł/pawel",
        "Nowak Kowalski Wiśniewski/wisniewski Wójcik/wojcik Kamiński/kaminski Zieliński/zielinski Mazur Dąbrowski/dabrowski",
    ),
    Culture(
        5,
        "fr",
        "Europe/Paris",
        "Paris,Lyon,Nantes,Lille,Genève,Montréal",
        "Camille Léo/leo Chloé/chloe Gabriel Manon François/francois Zoé/zoe Étienne/etienne Anaïs/anais Jules",
        "Martin Bernard Dubois Lefèvre/lefevre Moreau Laurent D'Arcy/darcy Roux Fontaine Gérard/gerard",
    ),
    Culture(
        3,
        "el",
        "Europe/Athens",
        "Αθήνα,Θεσσαλονίκη,Πάτρα,Ηράκλειο",
        "Ελένη/eleni Γιώργος/giorgos Μαρία/maria Νίκος/nikos Κατερίνα/katerina Δημήτρης/dimitris",
        "Παπαδόπουλος/papadopoulos Νικολάου/nikolaou Γεωργίου/georgiou Ιωάννου/ioannou Βασιλείου/vasileiou",
    ),
    Culture(
        3,
        "ja",
        "Asia/Tokyo",
        "東京,大阪,京都,札幌",
        "さくら/sakura 陽翔/haruto 結衣/yui 蓮/ren 葵/aoi 健太/kenta",
        "佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 渡辺/watanabe 山本/yamamoto",
    ),
    Culture(
        3,
        "ar",
        "Africa/Cairo",
        "القاهرة,دبي,عمان,تونس",
        "فاطمة/fatima محمد/mohamed مريم/maryam أحمد/ahmed ليلى/layla يوسف/yousef",
        "حسن/hassan علي/ali إبراهيم/ibrahim منصور/mansour النجار/alnajjar",
    ),
    Culture(
        3,
        "hi",
        "Asia/Kolkata",
        "दिल्ली,मुंबई,जयपुर,पुणे",
        "प्रिया/priya आरव/aarav अनन्या/ananya रोहन/rohan दीपिका/deepika विक्रम/vikram",
        "शर्मा/sharma वर्मा/verma गुप्ता/gupta सिंह/singh पटेल/patel",
    ),
    Culture(
        2,
        "ko",
        "Asia/Seoul",
        "서울,부산,대구",
        "서연/seoyeon 민준/minjun 지우/jiwoo 하준/hajun 수빈/subin",
        "김/kim 이/lee 박/park 최/choi 정/jung",
    ),
    Culture(
        2,
        "ka",
        "Asia/Tbilisi",
        "თბილისი,ბათუმი,ქუთაისი",
        "ნინო/nino გიორგი/giorgi თამარი/tamari ლუკა/luka მარიამი/mariami",
        "ბერიძე/beridze კაპანაძე/kapanadze გელაშვილი/gelashvili მაისურაძე/maisuradze",
    ),
    Culture(
        2,
        "he",
        "Asia/Jerusalem",
        "חיפה,ירושלים,אילת",
        "נועה/noa דוד/david תמר/tamar יוסף/yosef מאיה/maya",
        "כהן/cohen לוי/levi מזרחי/mizrahi פרץ/peretz",
    ),
)
